// Package event holds the record that every room shares: what a sensor says of one slice of a flow, under its ECS names.
// It knows how a record is written (JSON, identifiers) and nothing of where it comes from or goes to.
package event

import "time"

// SchemaVersion is the version of the fields below gnomon.*; it rises when one of them changes its meaning.
const SchemaVersion = 1

// ECSVersion is the release of the Elastic Common Schema whose names the records use.
const ECSVersion = "8.17.0"

// Datasets of the records, as in event.dataset and the names of the data streams.
const (
	DatasetActivity  = "gnomon.activity"
	DatasetFinding   = "gnomon.finding"
	DatasetCoverage  = "gnomon.coverage"
	DatasetCandidate = "gnomon.candidate"
	DatasetAudit     = "gnomon.audit"
)

// Event is one immutable record. An unknown value is an absent field: pointers are nil and strings empty where nothing is
// known. Every figure is a delta of the record's own slice.
type Event struct {
	Timestamp   Time         `json:"@timestamp,omitzero"` // end of the slice, packet time; absent where a log line tells none
	ECS         *ECS         `json:"ecs,omitempty"`
	Event       Meta         `json:"event"`
	Observer    *Observer    `json:"observer,omitempty"`
	Source      *Endpoint    `json:"source,omitempty"` // the client
	Destination *Endpoint    `json:"destination,omitempty"`
	Network     *Network     `json:"network,omitempty"`
	TLS         *TLS         `json:"tls,omitempty"`
	DNS         *DNS         `json:"dns,omitempty"`
	HTTP        *HTTP        `json:"http,omitempty"`
	URL         *URL         `json:"url,omitempty"`
	UserAgent   *UserAgent   `json:"user_agent,omitempty"`
	User        *User        `json:"user,omitempty"`
	Host        *Host        `json:"host,omitempty"`
	Rule        *Rule        `json:"rule,omitempty"`
	Gnomon      *Gnomon      `json:"gnomon,omitempty"`
	Message     string       `json:"message,omitempty"`
	Log         *Log         `json:"log,omitempty"`
	Error       *ErrorFields `json:"error,omitempty"`
}

// ECS names the schema release.
type ECS struct {
	Version string `json:"version"`
}

// Meta is ECS event.*.
type Meta struct {
	ID       string   `json:"id,omitempty"`
	Start    Time     `json:"start,omitzero"`
	End      Time     `json:"end,omitzero"`
	Ingested Time     `json:"ingested,omitzero"`
	Dataset  string   `json:"dataset,omitempty"`
	Kind     string   `json:"kind,omitempty"`
	Category []string `json:"category,omitempty"`
	Action   string   `json:"action,omitempty"`
	Severity int      `json:"severity,omitempty"`
	Outcome  string   `json:"outcome,omitempty"`
	Reason   string   `json:"reason,omitempty"`
}

// Observer is the sensor that wrote the record.
type Observer struct {
	ID      string   `json:"id,omitempty"`
	Name    string   `json:"name,omitempty"`
	Type    string   `json:"type,omitempty"`
	Version string   `json:"version,omitempty"`
	Ingress *Ingress `json:"ingress,omitempty"`
}

// Ingress names the interface on which a flow was first seen.
type Ingress struct {
	Interface Interface `json:"interface"`
}

// Interface is a network interface or, in a replay, the capture file.
type Interface struct {
	Name string `json:"name,omitempty"`
}

// Endpoint is one side of a flow. Bytes are unique transport payload bytes sent by this side.
type Endpoint struct {
	IP      string  `json:"ip,omitempty"`
	Port    *uint16 `json:"port,omitempty"`
	MAC     string  `json:"mac,omitempty"`
	Domain  string  `json:"domain,omitempty"`
	Bytes   *uint64 `json:"bytes,omitempty"`
	Packets *uint64 `json:"packets,omitempty"`
}

// Network is ECS network.*.
type Network struct {
	Transport   string `json:"transport,omitempty"`
	Protocol    string `json:"protocol,omitempty"`
	Type        string `json:"type,omitempty"`
	Application string `json:"application,omitempty"`
	CommunityID string `json:"community_id,omitempty"`
	VLAN        *VLAN  `json:"vlan,omitempty"`
}

// VLAN is the outermost 802.1Q tag.
type VLAN struct {
	ID string `json:"id"`
}

// TLS is what a ClientHello says, over TCP or QUIC. Client is always there.
type TLS struct {
	Client       *TLSClient `json:"client,omitempty"`
	Server       *TLSServer `json:"server,omitempty"`
	NextProtocol string     `json:"next_protocol,omitempty"`
	Version      string     `json:"version,omitempty"`
}

// TLSClient is ECS tls.client.*.
type TLSClient struct {
	ServerName string `json:"server_name,omitempty"`
	JA4        string `json:"ja4,omitempty"`
}

// TLSServer is ECS tls.server.*: what the server's certificate says, where the hello has no name and the certificate came in clear.
type TLSServer struct {
	X509 *X509 `json:"x509,omitempty"`
}

// X509 is ECS x509.*.
type X509 struct {
	AlternativeNames []string `json:"alternative_names,omitempty"`
	Subject          *Subject `json:"subject,omitempty"`
}

// Subject is whom a certificate was issued to.
type Subject struct {
	CommonName []string `json:"common_name,omitempty"`
}

// DNS is one transaction.
type DNS struct {
	ID           string      `json:"id,omitempty"`
	Question     *Question   `json:"question,omitempty"`
	ResolvedIP   []string    `json:"resolved_ip,omitempty"`
	Answers      []DNSAnswer `json:"answers,omitempty"`
	ResponseCode string      `json:"response_code,omitempty"`
	Type         string      `json:"type,omitempty"` // query | answer
}

// Question is the first question of a DNS message.
type Question struct {
	Name string `json:"name"`
	Type string `json:"type,omitempty"`
}

// DNSAnswer is one record of a DNS answer section.
type DNSAnswer struct {
	Name string `json:"name,omitempty"`
	Type string `json:"type,omitempty"`
	Data string `json:"data,omitempty"`
	TTL  uint32 `json:"ttl,omitempty"`
}

// HTTP is ECS http.*; paths and bodies are never kept.
type HTTP struct {
	Request *HTTPRequest `json:"request,omitempty"`
}

// HTTPRequest carries the method alone.
type HTTPRequest struct {
	Method string `json:"method,omitempty"`
}

// URL keeps the host of a request, never its path.
type URL struct {
	Domain string `json:"domain,omitempty"`
}

// UserAgent is ECS user_agent.*, where a clear-text request or a log carries it.
type UserAgent struct {
	Original string `json:"original,omitempty"`
}

// User is who is behind the client's address, as of the slice. ID is the keyed pseudonym.
type User struct {
	ID     string `json:"id,omitempty"`
	Name   string `json:"name,omitempty"`
	Domain string `json:"domain,omitempty"`
	Group  *Group `json:"group,omitempty"`
}

// Group is the user's department.
type Group struct {
	Name string `json:"name,omitempty"`
}

// Host is the client's host name.
type Host struct {
	Name string `json:"name,omitempty"`
}

// Rule is the signature that matched.
type Rule struct {
	ID       string `json:"id,omitempty"`
	Name     string `json:"name,omitempty"`
	Category string `json:"category,omitempty"`
	Ruleset  string `json:"ruleset,omitempty"`
}

// Log says which log source a record comes from.
type Log struct {
	File *LogFile `json:"file,omitempty"`
}

// LogFile is ECS log.file.*.
type LogFile struct {
	Path string `json:"path,omitempty"`
}

// ErrorFields is ECS error.*.
type ErrorFields struct {
	Message string `json:"message,omitempty"`
}

// Gnomon holds the product's own fields.
type Gnomon struct {
	Schema      int          `json:"schema"`
	Site        string       `json:"site,omitempty"`
	Flow        *Flow        `json:"flow,omitempty"`
	Visit       *Visit       `json:"visit,omitempty"`
	Counted     *bool        `json:"counted,omitempty"`
	Use         string       `json:"use,omitempty"`
	Service     *Service     `json:"service,omitempty"`
	Evidence    *Evidence    `json:"evidence,omitempty"`
	Upload      *Upload      `json:"upload,omitempty"`
	Attribution *Attribution `json:"attribution,omitempty"`
	Policy      *Policy      `json:"policy,omitempty"`
	ECH         *bool        `json:"ech,omitempty"`
	Tunnel      []string     `json:"tunnel,omitempty"`
	Finding     *Finding     `json:"finding,omitempty"`
	Coverage    *Coverage    `json:"coverage,omitempty"`
	Candidate   *Candidate   `json:"candidate,omitempty"`
}

// Flow places the slice in its flow. End is set in the last slice only: fin, rst, idle, evicted or shutdown.
type Flow struct {
	ID    string `json:"id"`
	Slice uint32 `json:"slice"`
	End   string `json:"end,omitempty"`
	// Multiplexed says that the connection offered HTTP/2 or HTTP/3, over which requests for further names of the provider, to which its
	// certificate extends, go without another hello (RFC 9113, section 9.1.1; RFC 9114, section 3.3).
	Multiplexed bool `json:"multiplexed,omitempty"`
}

// Visit is one client's use of one service with no pause over 30 minutes.
type Visit struct {
	ID string `json:"id"`
	// First marks the counted record with which use came to be known in the visit, the first that is not of background traffic: where
	// records lie in a store that cannot count distinct visits, its visits are these.
	First bool `json:"first,omitempty"`
	// Background marks the first counted record of a visit that began with background traffic; together with First it takes that back,
	// as use has begun in the visit after all.
	Background bool `json:"background,omitempty"`
	// Eyes is what a restart has to know of the visit. It lies in the spool beside the record and goes nowhere else.
	Eyes *EyesNote `json:"-"`
}

// EyesNote says what packets and logs had told of a visit once its record was written.
type EyesNote struct {
	Eye    string // the record's: a kind of log; empty: packets
	Told   bool   // that log has told of uploads
	Newest int64  // the latest time that it has told of
	Visits []SeenVisit
	// Doubted is a later time that it has told of once, too far ahead to be believed.
	Doubted int64
}

// SeenVisit is a visit as packets and logs saw it; sensor.Eyes knows what its fields mean.
type SeenVisit struct {
	Keys    []string // keyed hashes of who it was
	ID      string
	First   int64
	Last    int64
	Owner   string
	Log     string
	Packets int64
	From    int64
	ByUser  bool
}

// Service is the external AI service that was used.
type Service struct {
	ID       string `json:"id"`
	Vendor   string `json:"vendor,omitempty"`
	Category string `json:"category,omitempty"`
	Kind     string `json:"kind,omitempty"`
}

// Evidence says what the verdict rests on.
type Evidence struct {
	Class      string   `json:"class,omitempty"`
	Confidence string   `json:"confidence,omitempty"`
	Also       []string `json:"also,omitempty"`
	// Role says of a name that is no use by itself why it is here all the same, beside such use: supporting or shared.
	Role string `json:"role,omitempty"`
}

// Upload is the estimate of application bytes (request bodies) that left, with bounds; absent when it cannot be known.
type Upload struct {
	Bytes        uint64 `json:"bytes"`
	Low          uint64 `json:"low"`
	High         uint64 `json:"high"`
	Method       string `json:"method,omitempty"`
	Bursts       uint32 `json:"bursts,omitempty"`
	Turns        uint32 `json:"turns,omitempty"`
	LargestBurst uint64 `json:"largest_burst,omitempty"`
}

// Attribution says how the user was found, how sure that is and how old the binding was. Shared marks an address that stands for
// several people or none (a resolver, a proxy): it is never a user.
type Attribution struct {
	Source     string `json:"source,omitempty"`
	Confidence string `json:"confidence,omitempty"`
	AgeS       *int64 `json:"age_s,omitempty"`
	Shared     bool   `json:"shared"`
}

// Policy is what the organisation says of the use, as of then.
type Policy struct {
	Status string `json:"status"`
	Owner  string `json:"owner,omitempty"`
	Rule   string `json:"rule,omitempty"`
}

// Finding is what a finding rests on.
type Finding struct {
	Period   string   `json:"period,omitempty"`
	Limit    uint64   `json:"limit,omitempty"`
	Value    uint64   `json:"value,omitempty"`
	Evidence []string `json:"evidence,omitempty"`
}

// Candidate is a name that is in no catalogue and looks like an AI service, as one day showed it. It knows no user.
type Candidate struct {
	Clients  uint64   `json:"clients"` // how many, by a sketch
	Flows    uint64   `json:"flows"`
	Upload   uint64   `json:"upload"` // payload bytes of the clients
	Evidence []string `json:"evidence"`
}

// Time is nanoseconds since 1970-01-01 UTC; zero is unknown. JSON has it as RFC 3339 in UTC.
type Time int64

// At converts t.
func At(t time.Time) Time { return Time(t.UnixNano()) }

// Time converts back, in UTC.
func (t Time) Time() time.Time { return time.Unix(0, int64(t)).UTC() }

// String is RFC 3339 with the digits that are there, at most nanoseconds.
func (t Time) String() string { return t.Time().Format(time.RFC3339Nano) }

// MarshalJSON writes RFC 3339 in UTC.
func (t Time) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, 32)
	b = append(b, '"')
	b = t.Time().AppendFormat(b, "2006-01-02T15:04:05.999999999Z07:00")
	return append(b, '"'), nil
}

// UnmarshalJSON reads RFC 3339.
func (t *Time) UnmarshalJSON(b []byte) error {
	var v time.Time
	if err := v.UnmarshalJSON(b); err != nil {
		return err
	}
	*t = At(v)
	return nil
}
