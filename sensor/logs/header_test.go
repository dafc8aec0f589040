package logs

import (
	"strings"
	"testing"
)

// A header holds until the next one, and does not always tell the truth.
func TestHeaders(t *testing.T) {
	const fields = "#Fields: date time c-ip cs-username cs(Referer) cs(User-Agent) cs-host sc-bytes cs-bytes x-virus-id"
	for _, tt := range []struct {
		name   string
		header string
		lines  string
		want   []string
	}{
		{"as it says", fields, `2026-01-01 00:00:00 192.0.2.1 mary - "a b" chat.example 5 7 -`,
			[]string{"2026-01-01T00:00:00Z 192.0.2.1 mary chat.example - 7 5"}},
		{"a column that no header names", strings.Replace(fields, " cs(User-Agent)", "", 1), `2026-01-01 00:00:00 192.0.2.1 mary - "a b" chat.example 5 7 -`,
			[]string{"2026-01-01T00:00:00Z 192.0.2.1 mary chat.example - 7 5"}},
		{"a column that is not there", fields, `2026-01-01 00:00:00 192.0.2.1 mary - chat.example 5 7 -`,
			[]string{"2026-01-01T00:00:00Z 192.0.2.1 mary chat.example - 7 5"}},
		{"columns behind the last", fields, `2026-01-01 00:00:00 192.0.2.1 mary - "a b" chat.example 5 7 - surplus more`,
			[]string{"2026-01-01T00:00:00Z 192.0.2.1 mary chat.example - 7 5"}},
		{"nobody knows which figure", "#Fields: date time c-ip cs-host sc-bytes cs-bytes", `2026-01-01 00:00:00 192.0.2.1 chat.example 5 7 9`,
			[]string{"2026-01-01T00:00:00Z 192.0.2.1 - chat.example - - -"}},
		{"another header", fields, "2026-01-01 00:00:00 192.0.2.1 mary - - chat.example 5 7 -\n#Software: x\n#Fields: time date cs-bytes c-ip cs-host\n00:00:01 2026-01-01 8 192.0.2.2 chat.example",
			[]string{"2026-01-01T00:00:00Z 192.0.2.1 mary chat.example - 7 5", "2026-01-01T00:00:01Z 192.0.2.2 - chat.example - 8 -"}},
		{"tabs", "#Fields:\tdate\ttime\tc-ip\tcs-username\tcs-host\tcs-bytes", "2026-01-01\t00:00:00\t192.0.2.1\tmary ann\tchat.example\t7",
			[]string{"2026-01-01T00:00:00Z 192.0.2.1 mary ann chat.example - 7 -"}},
		{"none", "#Version: 1.0", "2026-01-01 00:00:00 192.0.2.1", []string{ErrNoHeader.Error()}},
		{"names in quotes and capitals", `#FIELDS: "Date" TIME C-IP CS-Host`, "2026-01-01 00:00:00 192.0.2.1 chat.example",
			[]string{"2026-01-01T00:00:00Z 192.0.2.1 - chat.example - - -"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := library(t).Open("w3c", Options{})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for line := range strings.Lines(tt.header + "\n" + tt.lines) {
				var r Record
				switch err := f.Parse([]byte(line), &r); err {
				case nil:
					got = append(got, told(&r))
				case ErrHeader:
				default:
					got = append(got, err.Error())
				}
			}
			if strings.Join(got, "\n") != strings.Join(tt.want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

// The first line of a table names its columns, and may come again where files were put together.
func TestTableHeader(t *testing.T) {
	f, err := library(t).Open("skyhigh-swg", Options{})
	if err != nil {
		t.Fatal(err)
	}
	const header = `"user_id","username","client_ip","requested_host","client_to_server_bytes"`
	for i, line := range []string{header, `"1","mary","192.0.2.1","chat.example","5"`, header, `"1","","192.0.2.2","chat.example",""`} {
		var r Record
		err := f.Parse([]byte(line), &r)
		want := []string{"", "- 192.0.2.1 mary chat.example - 5 -", "", "- 192.0.2.2 - chat.example - - -"}[i]
		if want == "" && err != ErrHeader || want != "" && (err != nil || told(&r) != want) {
			t.Errorf("line %d: %s, %v", i+1, told(&r), err)
		}
	}
}

// One line says who it is, another what is asked for; a descriptor is used again.
func TestSeveralLines(t *testing.T) {
	f, err := library(t).Open("tinyproxy", Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	text := `CONNECT   Nov 21 08:07:01.249 [9873]: Connect (file descriptor 5): 192.0.2.27
CONNECT   Nov 21 08:07:01.249 [9873]: Connect (file descriptor 6): laptop.lan [192.0.2.28]
CONNECT   Nov 21 08:07:01.250 [9873]: Request (file descriptor 6): CONNECT chat.example:443 HTTP/1.1
CONNECT   Nov 21 08:07:01.251 [9873]: Request (file descriptor 5): POST http://chat.example:8080/x HTTP/1.1
INFO      Nov 21 08:07:01.252 [9873]: No upstream proxy for chat.example
CONNECT   Nov 21 08:07:01.253 [9873]: Request (file descriptor 7): POST http://chat.example/x HTTP/1.1
`
	var a Account
	var got []string
	err = Read(NewLines(strings.NewReader(text)), f, &a, func(_ []byte, r *Record, err error) error {
		if err == nil {
			got = append(got, told(r))
		}
		return nil
	})
	want := "2026-11-21T08:07:01.25Z 192.0.2.28 - chat.example - - -\n2026-11-21T08:07:01.251Z 192.0.2.27 - chat.example - - -\n2026-11-21T08:07:01.253Z - - chat.example - - -"
	if err != nil || strings.Join(got, "\n") != want || a.Other() != 3 || a.Rejected() != 0 {
		t.Errorf("%v, %+v\n%s", err, a, strings.Join(got, "\n"))
	}
}
