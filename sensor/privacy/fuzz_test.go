package privacy

import (
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

func FuzzApply(f *testing.F) {
	f.Add("10.1.2.3", "anna", "corp", "annas-laptop")
	f.Add("::ffff:10.1.2.3", "an\xffna", `a\b`, "")
	kept := filter(f, Config{Exclude: []string{"10.9.0.0/16"}, ExcludeUsers: []string{"carol"}})
	f.Fuzz(func(t *testing.T, ip, user, domain, host string) {
		ev := &event.Event{Source: &event.Endpoint{IP: ip}, User: &event.User{Name: user, Domain: domain}, Host: &event.Host{Name: host}}
		if !kept.Apply(ev) {
			return
		}
		if ev.User.Name != "" || ev.User.Domain != "" || ev.Host != nil || (ev.User.ID == "") != (user == "") {
			t.Fatalf("kept %+v %+v", ev.User, ev.Host)
		}
	})
}
