package setup

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Keys of the mark that everything made here carries.
const (
	managedKey = "managed_by"
	managedBy  = "gnomon"
	versionKey = "version"
	hashKey    = "hash"
)

// added are keys that servers put into objects by themselves, or in which the mark stands: none of them is part of what an object is.
var added = map[string]bool{"_meta": true, "metadata": true, "transient_metadata": true, "created_date": true, "created_date_millis": true,
	"modified_date": true, "modified_date_millis": true, "last_updated_time": true, "schema_version": true, "error_notification": true,
	"policy_id": true, "description": true, "retry": true, "copy_alias": true, "allow_restricted_indices": true, "enabled_by_default": true,
	"deprecated": true, "hidden": true, "allow_custom_routing": true, "timestamp_field": true, "failure_store": true}

// digest is a hash of what an object says, whatever order and form the server gives it back in.
func digest(body any) string {
	var lines []string
	flatten(&lines, "", body)
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return hex.EncodeToString(sum[:16])
}

// flatten writes a line for each value. What is empty says nothing: servers leave it out, or put it in.
func flatten(lines *[]string, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if !added[key] {
				flatten(lines, path+"."+key, value)
			}
		}
	case []any:
		for i, value := range v {
			flatten(lines, path+"."+strconv.Itoa(i), value)
		}
	case nil:
	default:
		*lines = append(*lines, path+"="+strings.ToLower(fmt.Sprint(v)))
	}
}

// mark puts the version and the hash into an object, where its kind has them.
func mark(o *object) {
	at := o.body
	if inner, ok := at["policy"].(map[string]any); ok {
		at = inner
	}
	m := map[string]any{managedKey: managedBy, versionKey: Version, hashKey: digest(at)}
	if o.kind.marked == nil { // ISM has no room for it but the text for people
		at["description"] = describe(m)
		return
	}
	at[o.kind.marked[0]] = m
}

// describe is a mark as a text.
func describe(m map[string]any) string {
	var words []string
	for _, key := range slices.Sorted(maps.Keys(m)) {
		words = append(words, fmt.Sprintf("%s=%v", key, m[key]))
	}
	return strings.Join(words, " ")
}

// marked reads the mark of an object that the server gave back; false if it has none.
func marked(k *kind, body map[string]any) (version int, hash string, ok bool) {
	m := map[string]any{}
	if k.marked == nil {
		text, _ := body["description"].(string)
		for word := range strings.FieldsSeq(text) {
			key, value, _ := strings.Cut(word, "=")
			m[key] = value
		}
	} else {
		m, _ = body[k.marked[0]].(map[string]any)
	}
	if m[managedKey] != managedBy {
		return 0, "", false
	}
	version, err := strconv.Atoi(fmt.Sprint(m[versionKey]))
	hash, _ = m[hashKey].(string)
	return version, hash, err == nil && hash != ""
}

// find reads the object out of the answer to GET; nil if it is not there.
func (o *object) find(answer []byte) map[string]any {
	var at any
	d := json.NewDecoder(strings.NewReader(string(answer)))
	d.UseNumber()
	if d.Decode(&at) != nil {
		return nil
	}
	for _, step := range o.kind.inside {
		switch v := at.(type) {
		case map[string]any:
			at = v[strings.ReplaceAll(step, "%s", o.name)]
		case []any:
			if len(v) == 0 {
				return nil
			}
			at = v[0]
		}
	}
	found, _ := at.(map[string]any)
	return found
}
