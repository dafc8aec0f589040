package query

import (
	"strings"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// SharedUser is the key of all addresses that stand for several people or none: proxies and resolvers.
const SharedUser = "shared"

// UserKey says who a record counts for, as in Row.Key of ByUser: a user is one person at all sites, an address is one client of its site,
// "" is nobody. Bytes that are not UTF-8 are replaced, as JSON does.
func UserKey(ev *event.Event) string {
	switch {
	case ev.Gnomon != nil && ev.Gnomon.Attribution != nil && ev.Gnomon.Attribution.Shared:
		return SharedUser
	case ev.User == nil || ev.User.ID == "":
		return addressKey(ev)
	case ev.User.ID == SharedUser:
		return "id:" + SharedUser
	}
	return valid(ev.User.ID)
}

// addressKey names the client where its user is not known.
func addressKey(ev *event.Event) string {
	switch {
	case ev.Source == nil || ev.Source.IP == "":
		return ""
	case ev.Gnomon != nil && ev.Gnomon.Site != "":
		return valid("ip:" + ev.Source.IP + "@" + ev.Gnomon.Site)
	}
	return valid("ip:" + ev.Source.IP)
}

func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
