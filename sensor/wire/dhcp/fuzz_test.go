package dhcp

import "testing"

func FuzzParse(f *testing.F) {
	f.Add(captured4(f, udhcpcRequestHex))
	f.Add(captured4(f, dhclientRequestHex))
	f.Add(captured4(f, dnsmasqAckHex))
	f.Add(build4(fixed{op: opRequest, hardware: 1, length: 6, fileOptions: options4(typed(Request))}, option{optOverload, []byte{3}}))
	f.Fuzz(func(t *testing.T, datagram []byte) {
		var m, again Message
		err := m.Parse(datagram)
		if len(m.HostName) > maxOption || len(m.FQDN) > maxOption || len(m.ClientID) > maxOption {
			t.Fatalf("kept too much: %s", summary(&m))
		}
		if err == nil && (m.Type == 0 || m.MAC[0]&1 != 0) {
			t.Fatalf("accepted %s", summary(&m))
		}
		if _ = again.Parse(request()); again.Parse(datagram) != err || summary(&again) != summary(&m) {
			t.Fatalf("a used struct gives %s, a fresh one %s", summary(&again), summary(&m))
		}
	})
}

func FuzzParse6(f *testing.F) {
	f.Add(captured6(f, dhclientRequest6Hex))
	f.Add(captured6(f, dnsmasqReply6Hex))
	f.Add(captured6(f, dhclientRelease6Hex))
	f.Add(relayed(relayForward, relayed(relayForward, build6(Request6, 7, duid(clientMAC)))))
	f.Fuzz(func(t *testing.T, datagram []byte) {
		var m, again Message6
		err := m.Parse(datagram)
		if len(m.DUID) > maxOption || len(m.FQDN) > maxName || len(m.Addrs) > maxAddrs {
			t.Fatalf("kept too much: %s", summary6(&m))
		}
		if err == nil && (m.Type < Solicit6 || m.Type > InformationRequest6) {
			t.Fatalf("accepted %s", summary6(&m))
		}
		if _ = again.Parse(reply6()); again.Parse(datagram) != err || summary6(&again) != summary6(&m) {
			t.Fatalf("a used struct gives %s, a fresh one %s", summary6(&again), summary6(&m))
		}
	})
}
