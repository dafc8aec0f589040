package score

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"github.com/gnomon-sensor/gnomon/testdata/lab/packet"
	"github.com/gnomon-sensor/gnomon/testdata/lab/pcapfile"
	"github.com/gnomon-sensor/gnomon/testdata/lab/truth"
	"github.com/gnomon-sensor/gnomon/testdata/lab/vary"
)

// RunVariants starts the command on every variant of each case below dir that was recorded over a clean wire. The variants are made on the
// way and not kept.
func RunVariants(ctx context.Context, dir string, command []string, variants []vary.Variant) (rows []Row, problems []error) {
	temp, err := os.MkdirTemp("", "lab-variant-")
	if err != nil {
		return nil, []error{fmt.Errorf("making a place for variants: %w", err)}
	}
	defer func() { _ = os.RemoveAll(temp) }() // what stays lies below the system's temporary directory
	file := filepath.Join(temp, "input.pcap")
	return each(dir, "input.pcap", func(c recording) ([]Row, error) {
		if ok, _ := filepath.Match("*-clean", c.name); !ok {
			return nil, nil
		}
		frames, err := readFrames(c.file)
		if err != nil {
			return nil, err
		}
		var out []Row
		for _, v := range variants {
			seen := v.Apply(frames)
			if err := writeFrames(file, seen, v.Cooked); err != nil {
				return out, err
			}
			records := c.records
			if v.Part {
				records = rest(records, frames, seen)
			}
			got, err := c.run(ctx, file, command, records)
			if err != nil {
				return out, fmt.Errorf("%s: %w", v.Name, err)
			}
			for i := range got {
				got[i].Variant = v.Name
			}
			out = append(out, got...)
		}
		return out, nil
	})
}

func readFrames(path string) ([]pcapfile.Frame, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening a recording: %w", err)
	}
	defer file.Close()
	return pcapfile.Read(file)
}

func writeFrames(path string, frames []pcapfile.Frame, cooked bool) error {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("making a variant: %w", err)
	}
	defer file.Close()
	write := pcapfile.Write
	if cooked {
		write = pcapfile.WriteCooked
	}
	if err := write(file, frames); err != nil {
		return err
	}
	return file.Close()
}

// rest is the truth of a capture that begins late. Where on the wire a byte of a body lies is encrypted: it is taken to be spread evenly
// over what the client sent behind the handshake and the first head, which come first. How long those are follows from what the server
// read of TLS, less the body and its records, and is guessed for QUIC. Only large uploads are kept, for which that is exact enough.
func rest(records []truth.Record, all, seen []pcapfile.Frame) []truth.Record {
	whole, part := payload(all), payload(seen)
	var out []truth.Record
	for _, r := range records {
		key, first := packet.Flow{Proto: packet.TCP, Src: r.Client, Dst: r.Server}, r.SocketIn-r.Uploaded-r.Uploaded/recordShare
		if r.Transport == "udp" {
			key.Proto, first = packet.UDP, 4000
		}
		if r.Uploaded < 2*large || part[key] == 0 {
			continue
		}
		r.Uploaded = int64(float64(r.Uploaded) * float64(part[key]) / float64(int64(whole[key])-first))
		out = append(out, r)
	}
	return out
}

// recordShare is the part of a body that records add to it: 22 bytes to each 16 KiB.
const recordShare = (16 << 10) / 22

// payload sums what each direction carries: of TCP, each byte once.
func payload(frames []pcapfile.Frame) map[packet.Flow]int {
	total, next := map[packet.Flow]int{}, map[packet.Flow]uint32{}
	for _, f := range frames {
		p, ok := packet.Parse(f.Data)
		if !ok || len(p.Payload) == 0 {
			continue
		}
		n := len(p.Payload)
		if end := p.Seq + uint32(n); p.Proto == packet.TCP {
			if was, ok := next[p.Flow]; ok {
				n = max(0, min(n, int(int32(end-was))))
			}
			if n > 0 {
				next[p.Flow] = end
			}
		}
		total[p.Flow] += n
	}
	return total
}

// WriteVariants prints one line per transport and variant.
func WriteVariants(w io.Writer, rows []Row, variants []vary.Variant) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "transport and variant\tn\testimated\tmedian %\tp90 %\tmax %\tbelow 50 KB: p90 B\tfalse upload p90 B\tbounds hold %\twidth %")
	for _, transport := range []string{"TLS", "QUIC"} {
		for _, v := range variants {
			group := slices.DeleteFunc(slices.Clone(rows), func(r Row) bool { return r.Variant != v.Name || r.transport() != transport })
			if len(group) == 0 {
				continue
			}
			s := summarize(group)
			if s.known == 0 {
				fmt.Fprintf(t, "%s, %s\t%d\t0\t\t\t\t\t\t\t\n", transport, v.Name, s.n)
				continue
			}
			if v.Part {
				s.within = math.NaN() // bounds cannot be held against a truth that is interpolated
			}
			fmt.Fprintf(t, "%s, %s\t%d\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", transport, v.Name, s.n, s.known, figure(s.median, 2), figure(s.p90, 2),
				figure(s.most, 2), figure(s.below, 0), figure(s.falseUpload, 0), figure(s.within, 1), figure(s.width, 1))
		}
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("writing the score: %w", err)
	}
	return nil
}

// figure prints a figure, or nothing where there is none.
func figure(v float64, digits int) string {
	if math.IsNaN(v) {
		return ""
	}
	return fmt.Sprintf("%.*f", digits, v)
}
