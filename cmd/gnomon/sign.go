package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gnomon-sensor/gnomon/signatures"
	"github.com/gnomon-sensor/gnomon/signatures/bundle"
)

// signingPassword is the environment variable with the password of the key.
const signingPassword = "GNOMON_SIGNING_PASSWORD"

func (p *program) catalogueSign() *cobra.Command {
	var keyFile, output string
	var days int
	cmd := &cobra.Command{
		Use:   "sign --key FILE [DIR]",
		Short: "pack and sign a catalogue, for `catalogue update` on sensors",
		Long: `Sign checks the catalogue in a directory (the built-in one if none is given), packs it into one file, and writes a minisign signature beside
it. The key is the secret one that ` + "`minisign -G`" + ` made; if it is encrypted, its password is taken from the environment variable
` + signingPassword + `. The version stands in the catalogue's file VERSION; sensors take in newer ones only.`,
		Args: wants(cobra.MaximumNArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			if keyFile == "" {
				return usage("name the signing key with --key")
			}
			if days < 1 || days > 3650 {
				return usage("--days %d: 1 to 3650", days)
			}
			return p.sign(keyFile, output, days, args)
		},
	}
	cmd.Flags().StringVar(&keyFile, "key", "", "the minisign secret key in this `FILE`")
	cmd.Flags().StringVarP(&output, "output", "o", "", "write to this `FILE` (default: catalogue-VERSION.zip)")
	cmd.Flags().IntVar(&days, "days", 180, "sensors take it in for this many days from now")
	return cmd
}

func (p *program) sign(keyFile, output string, days int, args []string) error {
	files := signatures.Files()
	if len(args) == 1 {
		files = os.DirFS(args[0])
	}
	if err := p.lint(files, nil); err != nil {
		return err
	}
	catalogue, err := signatures.Load(signatures.Options{Base: files})
	if err != nil {
		return err
	}
	data, err := bundle.Pack(files)
	if err != nil {
		return err
	}
	expires := time.Now().UTC().AddDate(0, 0, days)
	signature, err := p.signature(keyFile, data, expires)
	if err != nil {
		return err
	}
	if output == "" {
		output = "catalogue-" + catalogue.Version() + ".zip"
	}
	if err := writeSigned(output, data, signature); err != nil {
		return fmt.Errorf("writing the catalogue: %w", err)
	}
	_, err = fmt.Fprintf(p.stdout, "%s: catalogue %s with %d services, %d bytes, until %s\n", output, catalogue.Version(),
		len(catalogue.Services()), len(data), expires.Format(time.DateOnly))
	return err
}

// signature signs a bundle with the key in a file.
func (p *program) signature(keyFile string, data []byte, expires time.Time) ([]byte, error) {
	text, err := os.ReadFile(keyFile)
	if err != nil {
		return nil, fmt.Errorf("reading the signing key: %w", err)
	}
	key, err := bundle.ReadKey(text, p.variable(signingPassword))
	if err != nil {
		return nil, err
	}
	return bundle.Sign(key, data, expires)
}

// writeSigned writes a bundle and its signature, which are for everyone.
func writeSigned(output string, data, signature []byte) error {
	if err := os.MkdirAll(filepath.Dir(output), 0o755); err != nil { //nolint:gosec // for everyone
		return err
	}
	if err := os.WriteFile(output, data, 0o644); err != nil { //nolint:gosec // for everyone
		return err
	}
	return os.WriteFile(output+bundle.Suffix, signature, 0o644) //nolint:gosec // for everyone
}

// variable is an environment variable's value.
func (p *program) variable(name string) string {
	for _, e := range p.environ {
		if value, ok := strings.CutPrefix(e, name+"="); ok {
			return value
		}
	}
	return ""
}
