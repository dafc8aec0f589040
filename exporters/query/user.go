package query

import (
	"strings"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// SharedUser is the key of all addresses that stand for several people or none: proxies and resolvers.
const SharedUser = "shared"

// How keys begin that are no user's identifier: those of addresses, and that of a user who is called as SharedUser is.
const (
	AddressPrefix = "ip:"
	idPrefix      = "id:"
)

// UserKey says who a record counts for, as in Row.Key of ByUser: a user is one person at all sites, an address is one client of its site,
// "" is nobody. Bytes that are not UTF-8 are replaced, as JSON does.
func UserKey(ev *event.Event) string {
	switch {
	case ev.Gnomon != nil && ev.Gnomon.Attribution != nil && ev.Gnomon.Attribution.Shared:
		return SharedUser
	case ev.User != nil && ev.User.ID != "":
		return valid(KeyOfID(ev.User.ID))
	case ev.Source == nil:
		return ""
	case ev.Gnomon == nil:
		return valid(KeyOfAddress(ev.Source.IP, ""))
	}
	return valid(KeyOfAddress(ev.Source.IP, ev.Gnomon.Site))
}

// KeyOfID is the key of a user with an identifier.
func KeyOfID(id string) string {
	if id == SharedUser {
		return idPrefix + SharedUser
	}
	return id
}

// IDOfKey is the identifier of the user with a key that is neither an address's nor SharedUser nor empty.
func IDOfKey(key string) string {
	if key == idPrefix+SharedUser {
		return SharedUser
	}
	return key
}

// KeyOfAddress is the key of an address of a site, which may be unknown, behind which no user is known; "" without an address.
func KeyOfAddress(address, site string) string {
	switch {
	case address == "":
		return ""
	case site == "":
		return AddressPrefix + address
	}
	return AddressPrefix + address + "@" + site
}

func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
