package setup

import (
	"maps"
	"slices"
	"strings"
)

// Field types that every server has in its core. Others are modules, which some servers lack.
const (
	typeKeyword = "keyword"
	typeText    = "text"
	typeDate    = "date"
	typeIP      = "ip"
	typeLong    = "long"
	typeDouble  = "double"
	typeBoolean = "boolean"
	// typeKept is an object that is kept and given back, and neither read nor searched: its keys are not known beforehand.
	typeKept = "object"
)

// maxKeyword is how many characters of a keyword are indexed: names from the wire are as long as their sender likes.
const maxKeyword = 1024

// fields says what every field of a record is; a test holds it against event.Event, field by field.
var fields = []struct{ kind, paths string }{
	{typeDate, "@timestamp event.start event.end event.ingested"},
	{typeText, "message error.message"},
	{typeIP, "source.ip destination.ip dns.resolved_ip"},
	{typeBoolean, "gnomon.counted gnomon.ech gnomon.attribution.shared gnomon.flow.multiplexed gnomon.visit.first gnomon.visit.background gnomon.coverage.clients.shared"},
	{typeDouble, "gnomon.coverage.queue_age_s"},
	{typeKept, "gnomon.coverage.undecodable gnomon.coverage.hidden_by gnomon.coverage.sources gnomon.coverage.clients.web gnomon.coverage.clients.other_ports"},
	{typeLong, `event.severity source.port source.bytes source.packets destination.port destination.bytes destination.packets dns.answers.ttl
		gnomon.schema gnomon.flow.slice gnomon.upload.bytes gnomon.upload.low gnomon.upload.high gnomon.upload.bursts gnomon.upload.turns
		gnomon.upload.largest_burst gnomon.attribution.age_s gnomon.finding.limit gnomon.finding.value
		gnomon.candidate.clients gnomon.candidate.flows gnomon.candidate.upload
		gnomon.coverage.received gnomon.coverage.dropped gnomon.coverage.copies gnomon.coverage.flows gnomon.coverage.flows_readable
		gnomon.coverage.flows_named gnomon.coverage.ech gnomon.coverage.encrypted_dns gnomon.coverage.relay gnomon.coverage.one_sided
		gnomon.coverage.cut gnomon.coverage.clients_left_out gnomon.coverage.bytes_with_user gnomon.coverage.evicted
		gnomon.coverage.two_eyes.joined gnomon.coverage.two_eyes.uncounted gnomon.coverage.two_eyes.silent gnomon.coverage.two_eyes.untold`},
	{typeKeyword, `ecs.version event.id event.dataset event.kind event.category event.action event.outcome event.reason
		observer.id observer.name observer.type observer.version observer.ingress.interface.name
		source.mac source.domain destination.mac destination.domain
		network.transport network.protocol network.type network.application network.community_id network.vlan.id
		tls.client.server_name tls.client.ja4 tls.server.x509.alternative_names tls.server.x509.subject.common_name tls.next_protocol tls.version
		dns.id dns.question.name dns.question.type dns.answers.name dns.answers.type dns.answers.data dns.response_code dns.type
		http.request.method url.domain user_agent.original user.id user.name user.domain user.group.name host.name
		rule.id rule.name rule.category rule.ruleset log.file.path
		gnomon.site gnomon.use gnomon.tunnel gnomon.flow.id gnomon.flow.end gnomon.visit.id
		gnomon.service.id gnomon.service.vendor gnomon.service.category gnomon.service.kind
		gnomon.evidence.class gnomon.evidence.confidence gnomon.evidence.also gnomon.evidence.role gnomon.upload.method
		gnomon.attribution.source gnomon.attribution.confidence gnomon.policy.status gnomon.policy.owner gnomon.policy.rule
		gnomon.finding.period gnomon.finding.evidence gnomon.candidate.evidence
		gnomon.coverage.clients.user.id gnomon.coverage.clients.user.name gnomon.coverage.clients.user.domain gnomon.coverage.clients.user.group.name`},
}

// clientAddresses are fields of a coverage record's clients that have an endpoint's form; only the address is ever filled.
const clientAddresses = "gnomon.coverage.clients.source."

// sights are the parts that a coverage record divides traffic into, and the figures of each.
var (
	sights      = []string{"gnomon.coverage.web.", "gnomon.coverage.other_ports."}
	sightParts  = []string{"named", "ech", "encrypted_dns", "relay", "one_sided", "cut", "nameless"}
	partFigures = []string{"flows", "bytes"}
)

// Fields gives the type of every field of a record, by its path.
func Fields() map[string]string {
	all := map[string]string{clientAddresses + "ip": typeIP}
	for _, group := range fields {
		for path := range strings.FieldsSeq(group.paths) {
			all[path] = group.kind
		}
	}
	for _, sight := range sights {
		for _, part := range sightParts {
			for _, figure := range partFigures {
				all[sight+part+"."+figure] = typeLong
			}
		}
	}
	return all
}

// mappings is what a template says of all fields. Nothing is added by itself, so that no field can fail a record.
func mappings() map[string]any {
	root := map[string]any{"dynamic": "false", "properties": map[string]any{}}
	all := Fields()
	for _, path := range slices.Sorted(maps.Keys(all)) {
		at := root
		names := strings.Split(path, ".")
		for _, name := range names[:len(names)-1] {
			at = child(at, name)
		}
		at["properties"].(map[string]any)[names[len(names)-1]] = mapping(all[path])
	}
	child(root, "gnomon")["dynamic"] = "false"
	return root
}

// child is an object within another, made if need be.
func child(of map[string]any, name string) map[string]any {
	properties := of["properties"].(map[string]any)
	if properties[name] == nil {
		properties[name] = map[string]any{"properties": map[string]any{}}
	}
	return properties[name].(map[string]any)
}

// mapping is what a template says of one field.
func mapping(kind string) map[string]any {
	m := map[string]any{"type": kind}
	switch kind {
	case typeKeyword:
		m["ignore_above"] = maxKeyword
	case typeKept:
		m["enabled"] = false
	}
	return m
}
