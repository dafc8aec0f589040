package signatures

var lookAlikes = []string{"notopenai.com"}
