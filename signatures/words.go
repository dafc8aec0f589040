package signatures

import "slices"

// Role says what contact with a name means.
type Role uint8

// The roles. Only primary and upload are use of the service by themselves.
const (
	RoleNone       Role = iota
	RolePrimary         // use of the name is use of the service
	RoleUpload          // where files and prompts go
	RoleSupporting      // static files, telemetry, documentation
	RoleShared          // other products use the name too
)

var roleNames = [...]string{"", "primary", "upload", "supporting", "shared"}

// String is the role as the TOML files spell it.
func (r Role) String() string {
	if int(r) < len(roleNames) {
		return roleNames[r]
	}
	return ""
}

// Match says how a name of the catalogue is compared with a name on the network.
type Match uint8

// The ways to match. The longest match wins; of two that are as long, exact goes before suffix and suffix before wildcard.
const (
	MatchNone     Match = iota
	MatchExact          // this name alone
	MatchSuffix         // this name and every name below it, on label borders
	MatchWildcard       // a star stands for one label, or for a part of one
)

var matchNames = [...]string{"", "exact", "suffix", "wildcard"}

// String is the way to match as the TOML files spell it.
func (m Match) String() string {
	if int(m) < len(matchNames) {
		return matchNames[m]
	}
	return ""
}

// Confidence grades how well the sources support an entry.
type Confidence uint8

// The grades; the zero value is none.
const (
	ConfidenceNone   Confidence = iota
	ConfidenceLow               // one weak source
	ConfidenceMedium            // one good source, or two weak ones
	ConfidenceHigh              // two independent sources, or the vendor's own documentation
)

var confidenceNames = [...]string{"", "low", "medium", "high"}

// String is the grade as the TOML files spell it.
func (c Confidence) String() string {
	if int(c) < len(confidenceNames) {
		return confidenceNames[c]
	}
	return ""
}

// Layer says whether a name is matched by everyone or only by those who ask for it.
type Layer uint8

// The layers.
const (
	LayerDefault       Layer = iota // matched unless told otherwise
	LayerLowConfidence              // opt-in: names of confidence low, unless the file puts them into the default layer
)

var layerNames = [...]string{"default", "low-confidence"}

// String is the layer as the TOML files and the options spell it.
func (l Layer) String() string {
	if int(l) < len(layerNames) {
		return layerNames[l]
	}
	return ""
}

// ParseLayer reads a layer as String writes it; ok is false if there is none of that name.
func ParseLayer(s string) (l Layer, ok bool) {
	i := slices.Index(layerNames[:], s)
	return Layer(max(i, 0)), i >= 0
}

// The categories of infrastructure: they hide which services are used, and are no AI service themselves.
const (
	CategoryEncryptedDNS = "encrypted-dns" // public resolvers over HTTPS, TLS or QUIC
	CategoryRelay        = "relay"         // anonymising relays, such as iCloud Private Relay
	CategoryVPN          = "vpn"           // consumer VPNs
	CategoryECHFront     = "ech-front"     // public names in the outer hello of Encrypted Client Hello (RFC 9849, section 4)
)

var categories = [...]string{
	"agent-automation", "chat-assistant", "coding-assistant", "companion", "embedded-saas-ai", "image-video-audio",
	"meeting-notes", "ml-platform", "model-api", "productivity-ai", "search", "writing-translation",
	CategoryEncryptedDNS, CategoryRelay, CategoryVPN, CategoryECHFront,
}

// Categories are the categories that an entry may have, AI services first, then infrastructure.
func Categories() []string { return slices.Clone(categories[:]) }

var kinds = [...]string{"web", "api", "ide", "agent", "background"}

// Kinds are the ways in which a service may be used.
func Kinds() []string { return slices.Clone(kinds[:]) }

var riskAttributes = [...]string{"trains_on_input", "opt_out", "business_excluded", "retention", "region"}

// RiskAttributes are the risk attributes that a service may have, in the order in which they are shown: whether consumer input
// trains models unless the user objects, whether the user can object, whether business plans are left out of training, how long
// input is kept, and where.
func RiskAttributes() []string { return slices.Clone(riskAttributes[:]) }
