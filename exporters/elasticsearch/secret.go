package elasticsearch

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// Where secrets come from, in this order: the file that the settings name, the environment, the directory of systemd's credentials.
const (
	apiKeyVariable     = "GNOMON_ELASTICSEARCH_API_KEY"
	passwordVariable   = "GNOMON_ELASTICSEARCH_PASSWORD"
	credentialsDir     = "CREDENTIALS_DIRECTORY"
	apiKeyCredential   = "elasticsearch-api-key"
	passwordCredential = "elasticsearch-password"
)

// maxSecret bounds what is read of a secret's file.
const maxSecret = 64 << 10

// access is the header Authorization of requests.
type access struct {
	config  *Config
	environ []string

	mu     sync.Mutex // guards header
	header string     // empty: there is none
}

// newAccess reads the secrets.
func newAccess(c *Config, environ []string) (*access, error) {
	a := &access{config: c, environ: environ}
	return a, a.read()
}

// authorization is the header's value; empty: requests go without.
func (a *access) authorization() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.header
}

// read reads the secrets, again when they were refused: somebody may have replaced them.
func (a *access) read() error {
	header, err := a.config.header(a.environ)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.header = header
	return nil
}

// header makes the header out of the secrets that are there.
func (c *Config) header(environ []string) (string, error) {
	if c.Username != "" {
		password, err := secret(c.PasswordFile, passwordVariable, passwordCredential, environ)
		if err != nil {
			return "", fmt.Errorf("reading elasticsearch.password_file: %w", err)
		}
		if password == "" {
			return "", fmt.Errorf("looking for the password of elasticsearch.username: there is none; set elasticsearch.password_file, "+
				"%s or the systemd credential %s", passwordVariable, passwordCredential)
		}
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(c.Username+":"+password)), nil
	}
	key, err := secret(c.APIKeyFile, apiKeyVariable, apiKeyCredential, environ)
	if err != nil {
		return "", fmt.Errorf("reading elasticsearch.api_key_file: %w", err)
	}
	if key == "" {
		return "", nil
	}
	if strings.Contains(key, ":") { // id:key
		key = base64.StdEncoding.EncodeToString([]byte(key))
	}
	if _, err := base64.StdEncoding.DecodeString(key); err != nil {
		return "", errors.New("reading the API key of Elasticsearch: it is neither its encoded form nor id:key")
	}
	return "ApiKey " + key, nil
}

// secret reads one secret; empty: there is none.
func secret(path, variable, credential string, environ []string) (string, error) {
	if path != "" {
		return readSecret(path)
	}
	if value := lookUp(environ, variable); value != "" {
		return strings.TrimSpace(value), nil
	}
	directory := lookUp(environ, credentialsDir)
	if directory == "" {
		return "", nil
	}
	value, err := readSecret(filepath.Join(directory, credential))
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	return value, err
}

// lookUp is a variable's value.
func lookUp(environ []string, variable string) string {
	for _, e := range environ {
		if name, value, _ := strings.Cut(e, "="); name == variable {
			return value
		}
	}
	return ""
}

func readSecret(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if info.Size() > maxSecret {
		return "", fmt.Errorf("%s is no secret: it has %d bytes", path, info.Size())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	s := strings.TrimSpace(string(text))
	if s == "" {
		return "", fmt.Errorf("%s is empty", path)
	}
	return s, nil
}
