package policy

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// The statuses that a use can have, as in gnomon.policy.status.
const (
	Approved   = "approved"
	Tolerated  = "tolerated"
	InReview   = "in-review"
	Unreviewed = "unreviewed" // no rule speaks of it
	Prohibited = "prohibited"
)

// Config is the organisation's opinion of services.
type Config struct {
	// File holds the rules ([[rule]]) outside of gnomon.toml; it is read again at SIGHUP. Default: none, the rules stand here.
	File string `toml:"file"`
	// Rules are tried in order; the first that matches decides.
	Rules []Rule `toml:"rule"`
}

// File is what Config.File holds.
type File struct {
	// Rules are tried in order; the first that matches decides.
	Rules []Rule `toml:"rule"`
}

// Rule says what the organisation thinks of uses that match all the keys it gives. Of a list one entry must match; upper and lower case
// are alike.
type Rule struct {
	// ID names the rule in records (gnomon.policy.rule): letters, digits, dots, hyphens and underscores.
	ID string `toml:"id"`
	// Services are ids of the catalogue: `gnomon catalogue list`.
	Services []string `toml:"services"`
	// Categories are those of the catalogue, such as chat-assistant.
	Categories []string `toml:"categories"`
	// Vendors are those of the catalogue, such as OpenAI.
	Vendors []string `toml:"vendors"`
	// Names are patterns of server names, such as contoso-*.openai.azure.com for the organisation's own resources. A star stands for any
	// part of one label, and **. at the beginning for one label or more.
	Names []string `toml:"names"`
	// Networks are the clients' (10.1.0.0/16).
	Networks []string `toml:"networks"`
	// Departments are the users', as the identity table has them.
	Departments []string `toml:"departments"`
	// Status is approved, tolerated, in-review or prohibited. What no rule speaks of is unreviewed.
	Status string `toml:"status"`
	// Owner answers for the service; it is written into records.
	Owner string `toml:"owner"`
	// Reason is for those who read the rules.
	Reason string `toml:"reason"`
	// Review is the day until which an approval or a toleration holds. After it the use is in-review until somebody has looked again.
	Review Date `toml:"review"`
	// From and Until are the first and the last day on which the rule holds. A record is judged by the rules of its own day, so an
	// imported log is judged by what was right then.
	From Date `toml:"from"`
	// Until is the last day.
	Until Date `toml:"until"`
}

// Default returns every default: no rules.
func Default() Config { return Config{} }

// Validate names what is wrong with the rules that stand here. It does not read the file.
func (c *Config) Validate() error {
	if c.File != "" && len(c.Rules) > 0 {
		return fmt.Errorf("policy.file = %q, and there are %d policy.rule besides; keep the rules in one place, for their order counts", c.File, len(c.Rules))
	}
	_, err := Compile(c.Rules, time.UTC)
	return err
}

// anything says that the rule asks for nothing.
func (r *Rule) anything() bool {
	return len(r.Services)+len(r.Categories)+len(r.Vendors)+len(r.Names)+len(r.Networks)+len(r.Departments) == 0
}

// check finds what is wrong with a rule by itself, other than the forms of its patterns and networks.
func (r *Rule) check() error {
	return errors.Join(r.checkID(), r.checkStatus(), r.checkDates())
}

func (r *Rule) checkID() error {
	if r.ID == "" || len(r.ID) > 64 {
		return fmt.Errorf("id = %q: give the rule a name of 1 to 64 characters, for the records that it decides on", r.ID)
	}
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"
	for _, c := range r.ID {
		if !strings.ContainsRune(allowed, c) {
			return fmt.Errorf("id = %q: %q is neither a letter of a to z, a digit, dot, hyphen nor underscore", r.ID, c)
		}
	}
	return nil
}

func (r *Rule) checkStatus() error {
	switch r.Status {
	case Approved, Tolerated, InReview, Prohibited:
		return nil
	}
	return fmt.Errorf("status = %q is none of %q", r.Status, []string{Approved, Tolerated, InReview, Prohibited})
}

func (r *Rule) checkDates() error {
	if !r.From.IsZero() && !r.Until.IsZero() && r.Until.end(time.UTC) <= r.From.begin(time.UTC) {
		return fmt.Errorf("until = %s lies before from = %s; turn them round", r.Until, r.From)
	}
	if !r.Review.IsZero() && r.Status != Approved && r.Status != Tolerated {
		return fmt.Errorf("review = %s: only what is approved or tolerated has an end; remove it from a rule that is %s", r.Review, r.Status)
	}
	return nil
}
