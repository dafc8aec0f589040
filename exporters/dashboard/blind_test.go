package dashboard_test

import (
	"encoding/csv"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/dashboard"
	"github.com/gnomon-sensor/gnomon/exporters/dashboard/dashboardtest"
)

// TestBlindSpots shows everybody what hides names, and analysts alone whose names they are.
func TestBlindSpots(t *testing.T) {
	w := &dashboardtest.World{}
	s := open(t, w, withUsers(t))
	clients, err := w.BlindClients(t.Context(), dashboardtest.Now().Add(-24*time.Hour), dashboardtest.Now(), 5)
	if err != nil {
		t.Fatal(err)
	}
	for _, who := range []string{"ada", "mia"} {
		t.Run(who, func(t *testing.T) {
			analyst := who == "ada"
			cookie := s.login(t, who)
			page := s.get("/coverage", cookie).Body.String()
			for _, want := range []string{"Encrypted Client Hello", "WireGuard", "DNS over TLS, other resolvers", "Relays and VPNs", "Cut by a snaplen"} {
				if !strings.Contains(page, want) {
					t.Errorf("the page lacks %q", want)
				}
			}
			for _, c := range clients {
				if strings.Contains(page, "/users/"+c.Key) != analyst {
					t.Errorf("%s is on the page: %v", c.Key, !analyst)
				}
			}
			status := map[bool]int{true: http.StatusOK, false: http.StatusNotFound}[analyst]
			if got := s.get("/coverage?csv=clients", cookie); got.Code != status {
				t.Errorf("the table as a file: status %d, want %d", got.Code, status)
			}
		})
	}
	exports := 0
	for _, a := range s.acts {
		if a.What == dashboard.ActExport {
			exports++
		}
	}
	if exports != 1 {
		t.Errorf("%d exports of people in the audit log, want the analyst's", exports)
	}
	rows, err := csv.NewReader(s.get("/coverage?csv=hiders", s.login(t, "mia")).Body).ReadAll()
	if err != nil || len(rows) != 6 || rows[1][0] != "wireguard" {
		t.Errorf("what hides names, as a file: %q, %v", rows, err)
	}
}
