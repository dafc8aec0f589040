// Command floors compares what a scorer measured with the floors that the project does not want to fall below again. It does not
// measure anything itself.
//
//	floors [-before OLD.json] FLOORS.json SCORE.json
//
// FLOORS.json holds two objects, "at_least" and "at_most", from the name of a figure to its limit. A figure is named by its path in
// SCORE.json ("classes.tls.recall", "crashes"); "classes.<class>.precision" is computed here. A figure that was not measured misses
// its floor. With -before, a floor that is lower than in OLD.json, or gone, is a fault too: floors only rise.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
)

// floors are the limits, by the name of the figure.
type floors struct {
	AtLeast map[string]float64 `json:"at_least"`
	AtMost  map[string]float64 `json:"at_most"`
}

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "floors:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("floors", flag.ContinueOnError)
	before := flags.String("before", "", "earlier floors, none of which may have sunk")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("reading the command line: %w", err)
	}
	if flags.NArg() != 2 {
		return errors.New("reading the command line: want FLOORS.json and SCORE.json")
	}
	limits, err := readFloors(flags.Arg(0))
	if err != nil {
		return err
	}
	score, err := os.ReadFile(flags.Arg(1))
	if err != nil {
		return fmt.Errorf("reading the score: %w", err)
	}
	measured, err := figures(score)
	if err != nil {
		return fmt.Errorf("reading the score in %s: %w", flags.Arg(1), err)
	}
	faults := compare(limits, measured, out)
	if *before != "" {
		earlier, err := readFloors(*before)
		if err != nil {
			return err
		}
		faults = append(faults, sunk(earlier, limits)...)
	}
	for _, fault := range faults {
		fmt.Fprintln(out, fault)
	}
	if len(faults) > 0 {
		return fmt.Errorf("comparing with %s: %d faults; mend what fell, do not lower its floor", flags.Arg(0), len(faults))
	}
	return nil
}

func readFloors(path string) (floors, error) {
	file, err := os.Open(path)
	if err != nil {
		return floors{}, fmt.Errorf("reading the floors: %w", err)
	}
	defer file.Close()
	var f floors
	dec := json.NewDecoder(file)
	dec.DisallowUnknownFields() // a misspelt "at_leest" would guard nothing
	if err := dec.Decode(&f); err != nil {
		return floors{}, fmt.Errorf("reading the floors in %s: %w", path, err)
	}
	return f, nil
}

// figures flattens the numbers of a score to dotted names and adds the precision of each class. A null is not a figure.
func figures(score []byte) (map[string]float64, error) {
	var tree map[string]any
	if err := json.Unmarshal(score, &tree); err != nil {
		return nil, err
	}
	out := make(map[string]float64)
	flatten("", tree, out)
	classes, _ := tree["classes"].(map[string]any)
	for class := range classes {
		name := "classes." + class
		right := out[name+".hit"] + out[name+".optional_hit"]
		if named := right + out[name+".fp"]; named > 0 {
			out[name+".precision"] = right / named
		}
	}
	return out, nil
}

func flatten(prefix string, tree map[string]any, out map[string]float64) {
	for key, value := range tree {
		switch v := value.(type) {
		case float64:
			out[prefix+key] = v
		case map[string]any:
			flatten(prefix+key+".", v, out)
		}
	}
}

// compare prints each guarded figure beside its floor and returns those that miss it.
func compare(limits floors, measured map[string]float64, out io.Writer) []string {
	var faults []string
	check := func(what string, guarded map[string]float64, holds func(value, limit float64) bool) {
		for _, name := range slices.Sorted(maps.Keys(guarded)) {
			limit := guarded[name]
			value, ok := measured[name]
			switch {
			case !ok:
				faults = append(faults, fmt.Sprintf("MISSING %s: not measured, must be %s %v", name, what, limit))
			case !holds(value, limit):
				faults = append(faults, fmt.Sprintf("BELOW   %s: %.6g, must be %s %v", name, value, what, limit))
			default:
				fmt.Fprintf(out, "ok      %s: %.6g, %s %v\n", name, value, what, limit)
			}
		}
	}
	check("at least", limits.AtLeast, func(value, limit float64) bool { return value >= limit })
	check("at most", limits.AtMost, func(value, limit float64) bool { return value <= limit })
	for _, name := range slices.Sorted(maps.Keys(measured)) {
		_, low := limits.AtLeast[name]
		_, high := limits.AtMost[name]
		if !low && !high {
			fmt.Fprintf(out, "free    %s: %.6g\n", name, measured[name])
		}
	}
	return faults
}

// sunk returns the floors of before that are weaker in now, or gone.
func sunk(before, now floors) []string {
	var faults []string
	check := func(kind string, before, now map[string]float64, sank func(was, is float64) bool) {
		for _, name := range slices.Sorted(maps.Keys(before)) {
			limit, ok := now[name]
			switch {
			case !ok:
				faults = append(faults, fmt.Sprintf("SUNK    %s: its floor (%s %v) is gone", name, kind, before[name]))
			case sank(before[name], limit):
				faults = append(faults, fmt.Sprintf("SUNK    %s: %s %v was %v", name, kind, limit, before[name]))
			}
		}
	}
	check("at least", before.AtLeast, now.AtLeast, func(old, limit float64) bool { return limit < old })
	check("at most", before.AtMost, now.AtMost, func(old, limit float64) bool { return limit > old })
	return faults
}
