package signatures

import "time"

// The set methods know the keys of each table, as the toml tags of the structs do. A value of the wrong type is left to the TOML
// package, whose errors explain types well.

func (r *rawFile) set(f *field) error {
	switch f.key {
	case "vendor":
		return setString(&r.Vendor, f)
	case "country":
		return setString(&r.Country, f)
	case "source", "service":
		return errForm
	}
	return errUnknown
}

func (r *rawFile) setSource(path, tag string, fields []field) error {
	var s rawSource
	err := eachField(path, fields, func(f *field) error {
		switch f.key {
		case "title":
			return setString(&s.Title, f)
		case "url":
			return setString(&s.URL, f)
		case "date":
			return setString(&s.Date, f)
		case "licence":
			return setString(&s.Licence, f)
		case "weight":
			return setString(&s.Weight, f)
		}
		return errUnknown
	})
	if r.Source == nil {
		r.Source = make(map[string]rawSource)
	}
	r.Source[tag] = s
	return err
}

func (r *rawService) set(f *field) error {
	switch f.key {
	case "id":
		return setString(&r.ID, f)
	case "name":
		return setString(&r.Name, f)
	case "vendor":
		return setString(&r.Vendor, f)
	case "country":
		return setString(&r.Country, f)
	case "category":
		return setString(&r.Category, f)
	case "kind":
		return setString(&r.Kind, f)
	case "layer":
		return setString(&r.Layer, f)
	}
	return r.setRest(f)
}

// setRest is set for the keys whose values are no strings.
func (r *rawService) setRest(f *field) error {
	switch f.key {
	case "verified":
		return setDate(&r.Verified, f)
	case "replace":
		if f.value.kind != valueBool {
			return errForm
		}
		r.Replace = f.value.text == "true"
		return nil
	case "names":
		return r.setNames(f)
	case "urls":
		return setStrings(&r.URLs, f)
	case "user_agents":
		return setStrings(&r.UserAgents, f)
	case "ip_ranges":
		return setStrings(&r.IPRanges, f)
	case "risk":
		return errForm // as an inline table; [service.risk] is the plain form
	}
	return errUnknown
}

func (r *rawService) setNames(f *field) error {
	if f.value.kind != valueArray {
		return errForm
	}
	r.Names = make([]rawName, len(f.value.items))
	for i := range f.value.items {
		item := &f.value.items[i]
		if item.kind != valueTable {
			return errForm
		}
		r.Names[i].line = int(item.line)
		for j := range item.fields {
			inner := &item.fields[j]
			if err := r.Names[i].set(inner); err != nil {
				*f = *inner // where the error is
				return err
			}
		}
	}
	return nil
}

func (r *rawName) set(f *field) error {
	switch f.key {
	case "name":
		return setString(&r.Name, f)
	case "match":
		return setString(&r.Match, f)
	case "role":
		return setString(&r.Role, f)
	case "confidence":
		return setString(&r.Confidence, f)
	case "layer":
		return setString(&r.Layer, f)
	case "kind":
		return setString(&r.Kind, f)
	case "why":
		return setString(&r.Why, f)
	case "sources":
		return setStrings(&r.Sources, f)
	case "verified":
		return setDate(&r.Verified, f)
	}
	return errUnknown
}

func (r *rawService) setRisk(path string, fields []field) error {
	r.Risk = make(map[string]rawFact, len(fields))
	for i := range fields {
		f := &fields[i]
		if f.value.kind != valueTable {
			return errForm
		}
		var fact rawFact
		if err := eachField(path, f.value.fields, fact.set); err != nil {
			return err
		}
		r.Risk[f.key] = fact
	}
	return nil
}

func (r *rawFact) set(f *field) error {
	switch f.key {
	case "value":
		return setString(&r.Value, f)
	case "sources":
		return setStrings(&r.Sources, f)
	case "date":
		return setDate(&r.Date, f)
	case "confidence":
		return setString(&r.Confidence, f)
	}
	return errUnknown
}

func setString(to *string, f *field) error {
	if f.value.kind != valueString {
		return errForm
	}
	*to = f.value.text
	return nil
}

func setStrings(to *[]string, f *field) error {
	if f.value.kind != valueArray {
		return errForm
	}
	list := make([]string, len(f.value.items))
	for i := range f.value.items {
		if f.value.items[i].kind != valueString {
			return errForm
		}
		list[i] = f.value.items[i].text
	}
	*to = list
	return nil
}

func setDate(to *time.Time, f *field) error {
	if f.value.kind != valueDate {
		return errForm
	}
	var err error
	if *to, err = time.Parse(time.DateOnly, f.value.text); err != nil {
		return errForm
	}
	return nil
}
