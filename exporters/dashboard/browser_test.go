package dashboard_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/gnomon-sensor/gnomon/exporters/dashboard/dashboardtest"
)

// browserNames are what Chromium is called on the systems that tests run on.
var browserNames = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "headless-shell"}

// TestBrowser uses the pages as a person does, in Chromium with JavaScript switched off. It needs Chromium, which the continuous
// integration has; elsewhere its absence is said, and the tests over HTTP still stand.
func TestBrowser(t *testing.T) {
	var browser string
	for _, name := range browserNames {
		if path, err := exec.LookPath(name); err == nil {
			browser = path
			break
		}
	}
	if browser == "" && os.Getenv("CI") != "" {
		t.Fatalf("none of %s is installed; .ci/run installs chromium", strings.Join(browserNames, ", "))
	}
	if browser == "" {
		t.Logf("not driven in a browser: none of %s is installed", strings.Join(browserNames, ", "))
		return
	}
	world := &dashboardtest.World{}
	s := open(t, world, withUsers(t))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	l := listen(t)
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l) }()
	b := start(t, browser, "http://"+l.Addr().String())
	t.Run("log in", func(t *testing.T) {
		b.run(t, chromedp.Navigate(b.base+"/services"), chromedp.SendKeys("#name", "ada"), chromedp.SendKeys("#password", password),
			chromedp.Click("main button"), chromedp.WaitVisible("#all-services"))
		b.at(t, "/services")
	})
	t.Run("choose a period", func(t *testing.T) {
		b.run(t, chromedp.Click(`button[value="12w"]`), chromedp.WaitVisible(`button[value="12w"][aria-pressed]`))
		b.at(t, "/services?p=12w")
	})
	t.Run("open a service", func(t *testing.T) {
		b.run(t, chromedp.Click(`#all-services tbody th a`), chromedp.WaitVisible("#proof"))
		b.says(t, "h1", "ChatGPT")
		b.at(t, "/services/chatgpt?p=12w")
	})
	t.Run("open a user", func(t *testing.T) {
		b.run(t, chromedp.Click(`#top-users tbody th a`), chromedp.WaitVisible("#services-of-user"))
		b.says(t, "#who", "Department")
	})
	t.Run("look for findings", func(t *testing.T) {
		b.run(t, chromedp.Click(`header nav a[href^="/findings"]`), chromedp.WaitVisible("#findings-of-period"),
			chromedp.Click(`a[href*="kind=upload-limit"]`), chromedp.WaitVisible(`a[href*="kind=upload-limit"][aria-current]`))
		b.says(t, "#findings-of-period", "Upload over a limit")
	})
	t.Run("follow the evidence", func(t *testing.T) {
		b.run(t, chromedp.Click(`#findings-of-period td:last-child a`), chromedp.WaitVisible("#records-of-period"))
		b.says(t, "#records-of-period", "example.com")
	})
	t.Run("fits a phone", func(t *testing.T) { b.fits(t, world, 390) })
	t.Run("fits a desktop", func(t *testing.T) { b.fits(t, world, 1280) })
	t.Run("log out", func(t *testing.T) {
		b.run(t, chromedp.Click(".who button"), chromedp.WaitVisible("#password"))
		b.at(t, "/login")
	})
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("stopping: %v", err)
	}
}

// tab is a page of the browser.
type tab struct {
	ctx  context.Context
	base string
}

func start(t *testing.T, browser, base string) *tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true), chromedp.UserDataDir(profile(t)), chromedp.WindowSize(1280, 900),
		chromedp.WSURLReadTimeout(patience))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &tab{ctx: ctx, base: base}
	withoutScripts := chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	})
	if err := chromedp.Do(ctx, withoutScripts); err != nil {
		t.Fatalf("starting %s: %v", browser, err)
	}
	return b
}

// profile is a directory for the browser, whose programs may still write to it for a moment after it has ended.
func profile(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "gnomon-browser-*") // not t.TempDir: the test would fail if a file came while the directory goes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for deadline := time.Now().Add(patience); ; <-time.After(50 * time.Millisecond) {
			if err := os.RemoveAll(dir); err == nil || time.Now().After(deadline) {
				return
			}
		}
	})
	return dir
}

// patience is how long a slow machine may take for the browser's start, and for a step.
const patience = 3 * time.Minute

// run does one step, within a time that a slow machine needs.
func (b *tab) run(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// ask runs one step that has a result.
func ask[T any](t *testing.T, b *tab, action chromedp.Action[T]) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	got, err := chromedp.Run(ctx, action)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// at wants the browser to be at a path.
func (b *tab) at(t *testing.T, want string) {
	t.Helper()
	got := ask(t, b, chromedp.Location())
	if got != b.base+want {
		t.Errorf("the browser is at %s, want %s", got, want)
	}
}

// says wants a text within an element.
func (b *tab) says(t *testing.T, element, want string) {
	t.Helper()
	got := ask(t, b, chromedp.Text(element))
	if !strings.Contains(got, want) {
		t.Errorf("%s says %q, want %q in it", element, got, want)
	}
}

// fits wants no page to be wider than the screen, and no table than its panel, but those that are opened for all figures of a chart.
func (b *tab) fits(t *testing.T, world *dashboardtest.World, screen int) {
	const over = `[...document.querySelectorAll(".scroll")].filter(e => !e.closest("details") && e.scrollWidth > e.clientWidth)
		.map(e => e.innerText.split("\n")[0] + " by " + (e.scrollWidth - e.clientWidth)).join("; ")`
	all, analysts := paths(world)
	b.run(t, chromedp.EmulateViewport(int64(screen), 844))
	for _, path := range append(all, analysts...) {
		b.run(t, chromedp.Navigate(b.base+path), chromedp.WaitReady("footer"))
		if width := ask(t, b, chromedp.Evaluate[int]("document.documentElement.scrollWidth")); width > screen {
			t.Errorf("%s is %d pixels wide on a screen of %d", path, width, screen)
		}
		if cut := ask(t, b, chromedp.Evaluate[string](over)); cut != "" {
			t.Errorf("%s has tables that are cut off on a screen of %d: %s", path, screen, cut)
		}
	}
}
