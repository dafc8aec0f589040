package identity

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/sensor/wire/dhcp"
)

const (
	maxRows   = 1_000_000
	maxOctets = 128 << 20 // of a table: far more than a million rows need
	maxFaults = 10        // told at once
)

// columns of a table, in any order. One of the first three is filled in a row, or none: then it is about the user alone.
const (
	colAddress = iota
	colNetwork
	colMAC
	colUser
	colDepartment
	colHost
	colShared
	colFrom
	colUntil
	columnCount
)

var columnNames = [columnCount]string{"address", "network", "mac", "user", "department", "host", "shared", "from", "until"}

// rawRow is a line of the table, read but not yet put in its place. Its key is the network or the MAC, or else the user.
type rawRow struct {
	net netip.Prefix
	mac dhcp.MAC
	row row
}

func (r *rawRow) aboutUser() bool { return !r.net.IsValid() && r.mac.IsZero() }

// network says that the row is about several addresses.
func (r *rawRow) network() bool { return r.net.IsValid() && !r.net.IsSingleIP() }

// readTable reads a table of comma-separated values (RFC 4180) with a header; semicolons and tabs separate as well, as spreadsheets
// write them in some countries. Dates are days in loc.
func readTable(r io.Reader, names *Names, loc *time.Location) (*Table, error) {
	in := bufio.NewReaderSize(&bounded{r: r, left: maxOctets}, 1<<16)
	head, _ := in.Peek(4096) // less, if the table is short
	if bytes.HasPrefix(head, []byte{0xff, 0xfe}) || bytes.HasPrefix(head, []byte{0xfe, 0xff}) {
		return nil, errors.New("line 1: the text is UTF-16; save the table as UTF-8")
	}
	if mark := []byte("\xef\xbb\xbf"); bytes.HasPrefix(head, mark) {
		_, _ = in.Discard(len(mark)) // it was just seen
		head = head[len(mark):]
	}
	lines := csv.NewReader(in)
	lines.ReuseRecord, lines.Comment, lines.TrimLeadingSpace = true, '#', true
	lines.Comma = separator(head)
	t := tableReader{csv: lines, names: names, loc: loc, people: newInterned(Name{}), words: newInterned("")}
	if err := t.header(); err != nil {
		return nil, err
	}
	if err := t.all(); err != nil {
		return nil, err
	}
	return build(t.rows, t.people.list, t.words.list)
}

// separator is what the first line that is not a comment has most of.
func separator(head []byte) rune {
	for line := range bytes.Lines(head) {
		if len(bytes.TrimSpace(line)) == 0 || line[0] == '#' {
			continue
		}
		commas := bytes.Count(line, []byte{','})
		for _, other := range []byte{';', '\t'} {
			if bytes.Count(line, []byte{other}) > commas {
				return rune(other)
			}
		}
		break
	}
	return ','
}

// bounded ends a table that is too large with an error.
type bounded struct {
	r    io.Reader
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("the table has over %d MiB; divide networks out of it", maxOctets>>20)
	}
	n, err := b.r.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// tableReader reads rows one after the other.
type tableReader struct {
	csv    *csv.Reader
	names  *Names
	loc    *time.Location
	at     [columnCount]int // where each column stands, -1 for nowhere
	rows   []rawRow
	people interned[Name]
	words  interned[string]
	faults []error
}

// interned keeps one copy of each value; the index of the zero value is 0.
type interned[V comparable] struct {
	list  []V
	index map[V]uint32
}

func newInterned[V comparable](zero V) interned[V] {
	return interned[V]{list: []V{zero}, index: map[V]uint32{zero: 0}}
}

// add returns the index of a value; own makes the copy that is kept.
func (n *interned[V]) add(v V, own func(V) V) uint32 {
	i, ok := n.index[v]
	if !ok {
		i, v = uint32(len(n.list)), own(v)
		n.list = append(n.list, v)
		n.index[v] = i
	}
	return i
}

// header reads the names of the columns.
func (t *tableReader) header() error {
	cells, err := t.csv.Read()
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("line 1: the table is empty; begin it with a header, for example %q", "network,department")
	}
	if err != nil {
		return lineFault(err)
	}
	line, _ := t.csv.FieldPos(0)
	for i := range t.at {
		t.at[i] = -1
	}
	for i, cell := range cells {
		column := columnOf(cell)
		if column < 0 {
			return fmt.Errorf("line %d: unknown column %q; the columns are %s", line, cell, strings.Join(columnNames[:], ", "))
		}
		if t.at[column] >= 0 {
			return fmt.Errorf("line %d: column %q stands there twice; keep one", line, columnNames[column])
		}
		t.at[column] = i
	}
	return nil
}

func columnOf(cell string) int {
	cell = fold(strings.TrimSpace(cell))
	for i, name := range columnNames {
		if cell == name {
			return i
		}
	}
	return -1
}

// all reads the rows and collects what is wrong with them.
func (t *tableReader) all() error {
	for len(t.faults) < maxFaults {
		cells, err := t.csv.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.faults = append(t.faults, lineFault(err))
			break // what follows a broken quote would only mislead
		}
		line, _ := t.csv.FieldPos(0)
		if len(t.rows) >= maxRows {
			t.faults = append(t.faults, fmt.Errorf("line %d: over %d rows; use networks for what belongs together", line, maxRows))
			break
		}
		raw, err := t.row(cells)
		if err != nil {
			t.faults = append(t.faults, fmt.Errorf("line %d: %w", line, err))
			continue
		}
		raw.row.line = uint32(line)
		t.rows = append(t.rows, raw)
	}
	return errors.Join(t.faults...)
}

// lineFault puts the line first.
func lineFault(err error) error {
	var at *csv.ParseError
	if !errors.As(err, &at) {
		return err
	}
	if errors.Is(err, csv.ErrFieldCount) {
		return fmt.Errorf("line %d: it has more or fewer cells than the header", at.Line)
	}
	return fmt.Errorf("line %d, column %d: %w", at.Line, at.Column, at.Err)
}

// cell is the text of a column, "" where the table has no such column.
func (t *tableReader) cell(cells []string, column int) string {
	if t.at[column] < 0 {
		return ""
	}
	return strings.TrimSpace(cells[t.at[column]])
}

// row reads one line.
func (t *tableReader) row(cells []string) (raw rawRow, err error) {
	for column := range columnCount {
		s := t.cell(cells, column)
		if len(s) > maxName {
			return raw, fmt.Errorf("%s is over %d octets long", columnNames[column], maxName)
		}
		if !printable(s) {
			return raw, fmt.Errorf("%s = %q has characters that cannot be shown; save the table as UTF-8", columnNames[column], s)
		}
	}
	for _, part := range []func([]string, *rawRow) error{t.who, t.key, t.validity, t.sharing} {
		if err := part(cells, &raw); err != nil {
			return raw, err
		}
	}
	return raw, raw.sense()
}

// who reads the user, the department and the host.
func (t *tableReader) who(cells []string, raw *rawRow) error {
	if s := t.cell(cells, colUser); s != "" {
		name, kind := t.names.Canonical(s)
		if kind != Person {
			return fmt.Errorf("user = %q is no person's account; name hosts in the column host", s)
		}
		raw.row.person = t.people.add(name, Name.clone)
	}
	raw.row.department = t.words.add(t.cell(cells, colDepartment), strings.Clone)
	raw.row.host = t.words.add(fold(t.cell(cells, colHost)), strings.Clone)
	return nil
}

func (n Name) clone() Name { return Name{strings.Clone(n.User), strings.Clone(n.Domain)} }

// key reads what the row is about.
func (t *tableReader) key(cells []string, raw *rawRow) error {
	given := 0
	for _, k := range [...]struct {
		column int
		read   func(string, *rawRow) error
	}{{colAddress, readAddress}, {colNetwork, readNetwork}, {colMAC, readMAC}} {
		s := t.cell(cells, k.column)
		if s == "" {
			continue
		}
		if given++; given > 1 {
			return errors.New("address, network and mac are ways to name one thing; give one of them in a row")
		}
		if err := k.read(s, raw); err != nil {
			return err
		}
	}
	return nil
}

func readAddress(s string, raw *rawRow) error {
	addr, err := netip.ParseAddr(s)
	if err != nil || addr.Zone() != "" || addr.IsUnspecified() {
		return fmt.Errorf("address = %q is no host's IP address", s)
	}
	raw.net = normal(netip.PrefixFrom(addr, addr.BitLen()))
	return nil
}

func readNetwork(s string, raw *rawRow) error {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return fmt.Errorf("network = %q is no network; write for example 10.1.0.0/16", s)
	}
	if p.Masked() != p {
		return fmt.Errorf("network = %q has bits behind its prefix; write %s", s, p.Masked())
	}
	raw.net = normal(p)
	return nil
}

func readMAC(s string, raw *rawRow) error {
	m, ok := parseMAC(s)
	if !ok {
		return fmt.Errorf("mac = %q is no card's address; write for example 00:00:5e:00:53:01", s)
	}
	raw.mac = m
	return nil
}

// validity reads the first and the last day. Days begin at midnight in the table's time zone.
func (t *tableReader) validity(cells []string, raw *rawRow) error {
	raw.row.until = forever
	for _, c := range [...]struct {
		column int
		to     *event.Time
	}{{colFrom, &raw.row.from}, {colUntil, &raw.row.until}} {
		s := t.cell(cells, c.column)
		if s == "" {
			continue
		}
		day, err := time.ParseInLocation(time.DateOnly, s, t.loc)
		if err != nil || day.Year() < 1971 || day.Year() > 2260 { // nanoseconds since 1970 reach 2262
			return fmt.Errorf("%s = %q is no day; write for example 2026-12-31", columnNames[c.column], s)
		}
		if c.column == colUntil {
			day = day.AddDate(0, 0, 1) // the day itself belongs to it
		}
		*c.to = event.At(day)
	}
	if raw.row.until <= raw.row.from {
		return errors.New("until lies before from; turn them round")
	}
	return nil
}

func (t *tableReader) sharing(cells []string, raw *rawRow) error {
	switch s := t.cell(cells, colShared); fold(s) {
	case "":
	case "yes", "true", "1":
		raw.row.shared = isShared
	case "no", "false", "0":
		raw.row.shared = notShared
	default:
		return fmt.Errorf("shared = %q is neither yes nor no", s)
	}
	return nil
}

// sense refuses rows that say nothing or contradict themselves.
func (r *rawRow) sense() error {
	if r.aboutUser() {
		return r.userSense()
	}
	person, host, shared := r.row.person != 0, r.row.host != 0, r.row.shared
	switch {
	case person && shared == isShared:
		return errors.New("a shared address has no user; empty one of the two cells")
	case host && r.network():
		return errors.New("a network is no host; name hosts by address or mac")
	case !person && !host && r.row.department == 0 && shared == unsaid:
		return errors.New("the row says nothing; fill in user, department, host or shared")
	}
	return nil
}

func (r *rawRow) userSense() error {
	if r.row.person == 0 || r.row.department == 0 {
		return errors.New("without address, network and mac a row gives a user's department; fill in user and department")
	}
	if r.row.host != 0 || r.row.shared != unsaid {
		return errors.New("host and shared belong to an address; fill in address, network or mac")
	}
	return nil
}
