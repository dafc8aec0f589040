package search

import (
	"strings"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// Fields of records that questions look at.
const (
	atField         = "@timestamp"
	idField         = "event.id"
	userField       = "user.id"
	addressField    = "source.ip"
	siteField       = "gnomon.site"
	sharedField     = "gnomon.attribution.shared"
	serviceField    = "gnomon.service.id"
	categoryField   = "gnomon.service.category"
	statusField     = "gnomon.policy.status"
	departmentField = "user.group.name"
	sliceField      = "gnomon.flow.slice"
	useField        = "gnomon.use"
	firstField      = "gnomon.visit.first"
	calmField       = "gnomon.visit.background"
	uploadField     = "gnomon.upload.bytes"
	countedField    = "gnomon.counted"
	classField      = "gnomon.evidence.class"
	confidenceField = "gnomon.evidence.confidence"
)

// What people read for query.SharedUser, as the embedded store has it.
const sharedLabel = "shared addresses (proxy, resolver)"

func term(field string, value any) object { return object{"term": object{field: value}} }
func exists(field string) object          { return object{"exists": object{"field": field}} }

// all matches what every clause matches and none of not does. Clauses that say the same of others stand beside them: a server looks through
// fewer layers, and takes the same question for the same.
func all(clauses []any, not ...any) object {
	filter, mustNot := flat(clauses)
	b, mustNot := object{}, append(mustNot, not...)
	if len(filter) > 0 {
		b["filter"] = filter
	}
	if len(mustNot) > 0 {
		b["must_not"] = mustNot
	}
	return object{"bool": b}
}

// flat takes clauses apart that are made by all.
func flat(clauses []any) (filter, mustNot []any) {
	for _, c := range clauses {
		inner, isBool := c.(object)["bool"].(object)
		if !isBool || inner["should"] != nil {
			filter = append(filter, c)
			continue
		}
		more, _ := inner["filter"].([]any)
		not, _ := inner["must_not"].([]any)
		filter, mustNot = append(filter, more...), append(mustNot, not...)
	}
	return filter, mustNot
}

// anyOf matches what one of the clauses matches.
func anyOf(clauses ...any) object {
	if one, isObject := clauses[0].(object); isObject && len(clauses) == 1 {
		return one
	}
	return object{"bool": object{"should": clauses, "minimum_should_match": 1}}
}

// period matches records from from to to; a zero end is open.
func period(field string, from, to time.Time) []any {
	bounds := object{"format": "epoch_millis"}
	if !from.IsZero() {
		bounds["gte"] = from.UnixMilli()
	}
	if !to.IsZero() {
		bounds["lt"] = to.UnixMilli()
	}
	if len(bounds) == 1 {
		return nil
	}
	return []any{object{"range": object{field: bounds}}}
}

// words matches records that have one of the words in one of the fields; the empty word is: none of the fields is there.
func words(list []string, fields ...string) []any {
	if len(list) == 0 {
		return nil
	}
	var some, clauses, none []any
	for _, w := range list {
		if w != "" {
			some = append(some, w)
		}
	}
	for _, f := range fields {
		if len(some) > 0 {
			clauses = append(clauses, object{"terms": object{f: some}})
		}
		none = append(none, exists(f))
	}
	if len(some) < len(list) {
		clauses = append(clauses, all(nil, none...))
	}
	return []any{anyOf(clauses...)}
}

// filter is query.Filter. Records other than activity may name the service in the rule alone.
func filter(f *query.Filter) []any {
	var list []any
	list = append(list, words(f.Sites, siteField)...)
	list = append(list, words(f.Services, serviceField, "rule.id")...)
	list = append(list, words(f.Categories, categoryField, "rule.category")...)
	list = append(list, words(f.Statuses, statusField)...)
	list = append(list, words(f.Departments, departmentField)...)
	return append(list, users(f.Users)...)
}

// The kinds of those who use something: those whose user is known, addresses that nobody is known behind, addresses that stand for several
// people, and those of whom nothing is known. That there is a user, or an address, need not be said: by them groups are told apart, or people
// counted.
func isShared() object  { return term(sharedField, true) }
func isKnown() object   { return all(nil, isShared()) }
func isAddress() object { return all(nil, isShared(), exists(userField)) }
func isNobody() object  { return all(nil, isShared(), exists(userField), exists(addressField)) }

// users matches the records of users by their keys.
func users(keys []string) []any {
	if len(keys) == 0 {
		return nil
	}
	var ids, clauses []any
	for _, key := range keys {
		address, isIP := strings.CutPrefix(key, query.AddressPrefix)
		switch {
		case key == query.SharedUser:
			clauses = append(clauses, isShared())
		case key == "":
			clauses = append(clauses, isNobody())
		case isIP:
			clauses = append(clauses, ofAddress(address))
		default:
			ids = append(ids, query.IDOfKey(key))
		}
	}
	if len(ids) > 0 {
		clauses = append(clauses, all([]any{object{"terms": object{userField: ids}}}, isShared()))
	}
	return []any{anyOf(clauses...)}
}

// ofAddress matches the records of an address, as in 10.1.2.3@berlin, that nobody is known behind.
func ofAddress(key string) object {
	address, site, hasSite := strings.Cut(key, "@")
	not := []any{isShared(), exists(userField)}
	clauses := []any{term(addressField, address)}
	if hasSite {
		clauses = append(clauses, term(siteField, site))
	} else {
		not = append(not, exists(siteField))
	}
	return all(clauses, not...)
}

// keyLabel is what people read for a user whose name is not kept.
func keyLabel(key string) string {
	if key == query.SharedUser {
		return sharedLabel
	}
	if address, isIP := strings.CutPrefix(key, query.AddressPrefix); isIP {
		address, _, _ = strings.Cut(address, "@")
		return address
	}
	return key
}
