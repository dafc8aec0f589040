package sensor_test

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// What is only added up has no identifiers and no fingerprints, and is the same otherwise.
func TestSumsOnly(t *testing.T) {
	classify := classifier(t)
	prints := 0
	for _, dir := range cases(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			kept := runWith(t, settings(), input(t, dir), classify).events
			added := settings()
			added.Sums = true
			got := runWith(t, added, input(t, dir), classify).events
			if len(got) != len(kept) {
				t.Fatalf("%d records, want %d", len(got), len(kept))
			}
			for i := range got {
				if got[i].Event.ID != "" || got[i].Gnomon.Flow.ID != "" || got[i].Network.CommunityID != "" {
					t.Errorf("record %d is told from others: %s", i, told(t, &got[i]))
				}
				prints += anonymous(&kept[i])
				if was, is := told(t, &kept[i]), told(t, &got[i]); was != is {
					t.Errorf("record %d is\n%s\nwant\n%s", i, is, was)
				}
			}
		})
	}
	if prints == 0 {
		t.Error("no record had a fingerprint to leave out")
	}
}

// anonymous takes away what tells a record from others, and counts fingerprints.
func anonymous(ev *event.Event) (prints int) {
	ev.Event.ID, ev.Gnomon.Flow.ID, ev.Network.CommunityID = "", "", ""
	if ev.TLS != nil && ev.TLS.Client != nil && ev.TLS.Client.JA4 != "" {
		ev.TLS.Client.JA4 = ""
		prints++
	}
	return prints
}

func told(t *testing.T, ev *event.Event) string {
	t.Helper()
	text, err := json.Marshal(ev)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
