package report

import "fmt"

// notes are what a reader must know to trust the figures no more and no less than they deserve.
func notes(r *Report) []Note {
	if r.Audience == DLP {
		return append([]Note{
			{"Unapproved", "Use whose status, at the time of the use, was prohibited, unreviewed or in review."},
			{"Upload", "Application bytes that left (bodies of requests), estimated from sizes and directions of encrypted records and packets; nothing is decrypted. The true value should lie between the bounds, and bounds of a sum are the sums of the bounds. Flows without an estimate are counted apart and add nothing."},
			{"Visit", "One client's use of one service without a pause of more than 30 minutes. It counts where it began."},
			{"Background", "Telemetry, keep-alive and connections that carried no request, told by size and rhythm. Users and visits with nothing else are no use and are counted apart."},
			{"User", "The person behind an address as of then, by a log-on, a lease or a proxy's log; else the address itself. Names where they are kept, else pseudonyms: the same pseudonym is the same person. Who it is can be revealed by a procedure that is logged."},
			{"Evidence", "Event ids name records; the newest are listed. Classes: sni and quic-sni are names in the clear at the start of a connection, http-host and connect names of requests, dns and ip-from-dns names looked up before, certificate a server's own name, log a log's line. Confidence says how surely the name means the service."},
			{"Status", "As of the use. A decision made later does not change what the report says of earlier use."},
		}, blindness()...)
	}
	return append([]Note{
		{"Approved or not", "Unapproved use is use of services that were prohibited, not yet reviewed or in review when they were used."},
		{"Upload", "An estimate (≈) from the sizes of encrypted traffic, with what the true value should lie between. Nothing is decrypted."},
		{"Visit", "One client's use of one service without a pause of more than 30 minutes."},
		{"Background", "What programs send on their own is not counted as use; it is shown apart."},
		{"Privacy", fmt.Sprintf("This report names nobody. It shows no department of fewer than %d users and never says that fewer than %d used something, only that they were few.", r.Below, r.Below)},
	}, blindness()...)
}

// blindness is what no figure of the report contains.
func blindness() []Note {
	return []Note{{"Not seen", "What was written or uploaded; whether an account was private or the company's; use off the watched networks, through VPNs and relays, or under hidden names (ECH); AI inside other products without a name of its own."}}
}
