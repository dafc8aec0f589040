// Package signatures is the catalogue as data: which external AI services there are, which names are theirs, and where each fact
// comes from. It loads and checks the TOML files and matches names; what a match means is decided in package classifiers.
package signatures

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

// Service is one external AI service. A Service is never changed after the catalogue is loaded.
type Service struct {
	ID       string // lower case, as in rule.id and network.application
	Name     string
	Vendor   string
	Country  string // ISO 3166-1 alpha-2 of the vendor's seat; empty if not established
	Category string
	Kind     string // web, api, ide, agent or background
	Names    []Name
}

// Name is one network name of a service.
type Name struct {
	Name string
	Role Role
}

// Hit is the entry of the catalogue that a host name matched.
type Hit struct {
	Service *Service
	Name    *Name
}
