package exportertest

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/gnomon-sensor/gnomon/exporters"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// memory is an exporter with faults to choose from.
type memory struct {
	fault string
	has   map[string]int
}

func (m *memory) Export(ctx context.Context, batch []event.Event, out []exporters.Outcome) error {
	if m.fault == "stores what it says it did not try" && ctx.Err() != nil {
		m.has[batch[0].Event.ID]++
		return ctx.Err()
	}
	for i := range batch {
		if m.fault == "forgets an outcome" && i == len(batch)-1 {
			return nil
		}
		out[i] = exporters.Outcome{State: exporters.Stored}
		switch {
		case m.fault == "loses one" && i == 3:
		case m.fault == "stores twice":
			m.has[batch[i].Event.ID]++
		case m.fault == "changes events":
			m.has[batch[i].Event.ID] = 1
			batch[i].Message = "exported"
		default:
			m.has[batch[i].Event.ID] = 1
		}
	}
	return ctx.Err()
}

func (m *memory) Close() error { return nil }

// TestContract runs the contract on an exporter without a fault.
func TestContract(t *testing.T) { run(t, os.Getenv(faultVariable)) }

const faultVariable = "EXPORTERTEST_FAULT"

func run(t *testing.T, fault string) {
	Run(t, Subject{Idempotent: true, Open: func(*testing.T) (exporters.Exporter, func(*testing.T) map[string]int) {
		m := &memory{fault: fault, has: map[string]int{}}
		return &undoing{m}, func(*testing.T) map[string]int { return m.has }
	}})
}

// undoing stores nothing when the context has ended.
type undoing struct{ *memory }

func (u *undoing) Export(ctx context.Context, batch []event.Event, out []exporters.Outcome) error {
	if u.fault != "stores what it says it did not try" && ctx.Err() != nil {
		return ctx.Err()
	}
	return u.memory.Export(ctx, batch, out)
}

// Each fault is found: the contract runs in a process of its own and has to fail there.
func TestFaultsAreFound(t *testing.T) {
	for _, fault := range []string{"forgets an outcome", "loses one", "stores twice", "changes events", "stores what it says it did not try"} {
		t.Run(fault, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run=^TestContract$")
			cmd.Env = append(os.Environ(), faultVariable+"="+fault)
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "--- FAIL: TestContract") {
				t.Fatalf("the contract holds for an exporter that %s:\n%s", fault, out)
			}
		})
	}
}
