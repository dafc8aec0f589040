package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gnomon-sensor/gnomon/signatures"
	"github.com/gnomon-sensor/gnomon/signatures/bundle"
)

// releaseKey is the minisign public key of those who release Gnomon. It is theirs to fill in; until then catalogues come with the program,
// or are signed with a key of catalogue.keys.
const releaseKey = ""

// trustedKeys are the keys whose catalogues this sensor takes in.
func (s *settings) trustedKeys() (bundle.Keys, error) {
	texts := s.Catalogue.Keys
	if releaseKey != "" {
		texts = append([]string{releaseKey}, texts...)
	}
	keys, err := bundle.ParseKeys(texts)
	if err != nil {
		return nil, fmt.Errorf("catalogue.keys: %w", err)
	}
	return keys, nil
}

// bundles is where catalogues lie that were taken in.
func (s *settings) bundles(environ []string) bundle.Dir {
	return bundle.Dir(filepath.Join(stateDir(&s.Config, environ), "catalogue"))
}

// installed is the catalogue that was taken in last, if it is newer than the built-in one; else nil.
func (p *program) installed(c *settings) (*bundle.Bundle, error) {
	keys, err := c.trustedKeys()
	if err != nil {
		return nil, err
	}
	b, err := c.bundles(p.environ).Current(keys)
	if err != nil || b == nil || bundle.Compare(b.Version, signatures.BuiltIn()) <= 0 {
		return nil, err
	}
	return b, nil
}

// loadCatalogue loads what the configuration says: the catalogue that was taken in or else the built-in one, and own signatures over it.
// What was taken in and cannot be trusted any more is complained about and left aside.
func (p *program) loadCatalogue(c *settings) (*signatures.Catalogue, error) {
	b, err := p.installed(c)
	if err != nil {
		p.complain(fmt.Errorf("%w; using the built-in catalogue %s", err, signatures.BuiltIn()))
	}
	return loadOver(c, b)
}

// loadOver loads own signatures over a bundle, or over the built-in catalogue if it is nil.
func loadOver(c *settings, b *bundle.Bundle) (*signatures.Catalogue, error) {
	opts := signatures.Options{Own: c.Catalogue.Own}
	if b != nil {
		opts.Base = b.Files
	}
	if c.Catalogue.LowConfidence {
		opts.Layers = []signatures.Layer{signatures.LayerLowConfidence}
	}
	return signatures.Load(opts)
}

// versionInUse is the version that an update has to beat.
func (p *program) versionInUse(c *settings) (string, error) {
	b, err := p.installed(c)
	if err != nil || b == nil {
		return signatures.BuiltIn(), err
	}
	return b.Version, nil
}

// errNothingNew says that what is offered is what is in use.
var errNothingNew = errors.New("nothing new")

// update takes in the catalogue at a file or an address. Before it is put in use its signature, its version and its last day are checked,
// and it is loaded with own signatures over it.
func (p *program) update(ctx context.Context, c *settings, from string, now time.Time) (version string, err error) {
	keys, err := c.trustedKeys()
	if err != nil {
		return "", err
	}
	if len(keys) == 0 {
		return "", errors.New("updating the catalogue: no key is known that could have signed it; name one in catalogue.keys")
	}
	dir := c.bundles(p.environ)
	data, signature, err := fetchBundle(ctx, from, dir.Signature())
	if err != nil {
		return "", err
	}
	b, err := bundle.Open(data, signature, keys)
	if err != nil {
		return "", fmt.Errorf("%w (from %s)", err, from)
	}
	inUse, err := p.versionInUse(c)
	if err != nil {
		p.complain(fmt.Errorf("%w; it is being replaced", err))
	}
	if err := b.Usable(inUse, now); err != nil {
		return "", err
	}
	if _, err := loadOver(c, b); err != nil {
		return "", fmt.Errorf("taking in catalogue %s: %w; the one in use stays", b.Version, err)
	}
	return b.Version, dir.Install(b, data, signature)
}

// fetchWithin bounds how long a catalogue may take to come.
const fetchWithin = 2 * time.Minute

// fetchBundle reads a bundle and its signature from a file or an address. have is the signature of the one in use: if it is the same, the
// bundle is not fetched, and the error is errNothingNew.
func fetchBundle(ctx context.Context, from string, have []byte) (data, signature []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, fetchWithin)
	defer cancel()
	if signature, err = fetch(ctx, from+bundle.Suffix, bundle.MaxSignature); err != nil {
		return nil, nil, fmt.Errorf("fetching a catalogue's signature: %w", err)
	}
	if len(have) > 0 && bytes.Equal(signature, have) {
		return nil, nil, errNothingNew
	}
	if data, err = fetch(ctx, from, bundle.MaxBytes); err != nil {
		return nil, nil, fmt.Errorf("fetching a catalogue: %w", err)
	}
	return data, signature, nil
}

// fetch reads a file or an address, up to a limit.
func fetch(ctx context.Context, from string, limit int64) ([]byte, error) {
	body, err := openAny(ctx, from)
	if err != nil {
		return nil, err
	}
	defer func() { _ = body.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(body, limit+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", from, err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("reading %s: it has more than the %d bytes that it may have", from, limit)
	}
	return data, nil
}

func openAny(ctx context.Context, from string) (io.ReadCloser, error) {
	if !strings.HasPrefix(from, "https://") && !strings.HasPrefix(from, "http://") {
		return os.Open(from) // the error names the file
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, err
	}
	client := http.Client{CheckRedirect: func(to *http.Request, via []*http.Request) error {
		if len(via) > 5 || via[0].URL.Scheme == "https" && to.URL.Scheme != "https" {
			return errors.New("it leads on too often, or away from https")
		}
		return nil
	}}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, errors.Join(fmt.Errorf("reading %s: the server says %s", from, response.Status), response.Body.Close())
	}
	return response.Body, nil
}

func (p *program) catalogueUpdate() *cobra.Command {
	var back bool
	cmd := &cobra.Command{
		Use:   "update [FILE|URL]",
		Short: "take in a newer, signed catalogue; a running daemon uses it within a minute",
		Long: `Update takes in a signed catalogue from a file or an address (catalogue.update if none is given), with its signature beside it (.minisig). It
is put in use only if a key of catalogue.keys has signed it, it is newer than the one in use and not past its last day, and it loads with
your own signatures over it. The one before is kept: --back returns to it. A running daemon takes it up by itself, or at SIGHUP.`,
		Args: wants(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := p.load()
			if err != nil {
				return err
			}
			if back {
				return p.catalogueBack(&c)
			}
			from := c.Catalogue.Update
			if len(args) == 1 {
				from = args[0]
			}
			if from == "" {
				return usage("name a file or an address, or set catalogue.update")
			}
			return p.catalogueUpdateFrom(cmd.Context(), &c, from)
		},
	}
	cmd.Flags().BoolVar(&back, "back", false, "return to the catalogue before")
	return cmd
}

func (p *program) catalogueUpdateFrom(ctx context.Context, c *settings, from string) error {
	version, err := p.update(ctx, c, from, time.Now())
	if errors.Is(err, errNothingNew) {
		p.note("%s offers the catalogue that is in use.", from)
		return nil
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "catalogue %s is in use\n", version)
	return err
}

func (p *program) catalogueBack(c *settings) error {
	keys, err := c.trustedKeys()
	if err != nil {
		return err
	}
	version, err := c.bundles(p.environ).Back(keys)
	if err != nil {
		return err
	}
	if version == "" {
		version = signatures.BuiltIn() + " (built in)"
	}
	_, err = fmt.Fprintf(p.stdout, "catalogue %s is in use\n", version)
	return err
}
