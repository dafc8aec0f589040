package clients

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// pageURL returns the address of a page on the first request's host whose script does all requests.
func pageURL(job Job) (string, error) {
	if len(job.Requests) == 0 {
		return "", fmt.Errorf("preparing a page: the job has no requests")
	}
	first, err := url.Parse(job.Requests[0].URL)
	if err != nil {
		return "", fmt.Errorf("preparing a page: %w", err)
	}
	query := url.Values{}
	for _, r := range job.Requests {
		query.Add("r", r.String())
	}
	scheme := strings.Replace(first.Scheme, "ws", "http", 1)
	return scheme + "://" + first.Host + "/page?" + query.Encode(), nil
}

// hosts returns the distinct host names of a job's requests.
func hosts(job Job) []string {
	var out []string
	seen := map[string]bool{}
	for _, r := range job.Requests {
		if u, err := url.Parse(r.URL); err == nil && !seen[u.Hostname()] {
			seen[u.Hostname()] = true
			out = append(out, u.Hostname())
		}
	}
	return out
}

func chromium(job Job) ([]string, []string, error) {
	page, err := pageURL(job)
	if err != nil {
		return nil, nil, err
	}
	argv := []string{
		"chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps",
		"--disable-extensions", "--disable-domain-reliability", "--no-pings", "--disable-features=OptimizationHints,MediaRouter",
		"--user-data-dir=" + filepath.Join(job.Dir, "profile"), "--ignore-certificate-errors-spki-list=" + job.KeyHash,
	}
	if job.Version == H3 {
		var origins []string
		for _, host := range hosts(job) {
			origins = append(origins, host+":443")
		}
		argv = append(argv, "--enable-quic", "--origin-to-force-quic-on="+strings.Join(origins, ","))
	} else {
		argv = append(argv, "--disable-quic")
	}
	if job.Proxy != "" {
		argv = append(argv, "--proxy-server="+job.Proxy)
	}
	return append(argv, page), []string{"HOME=" + job.Dir}, nil
}

// quietFirefox keeps Firefox from calling home; what it still does gets no address from the stand-in's resolver.
const quietFirefox = `user_pref("app.normandy.enabled", false);
user_pref("app.update.enabled", false);
user_pref("browser.aboutwelcome.enabled", false);
user_pref("browser.newtabpage.enabled", false);
user_pref("browser.region.update.enabled", false);
user_pref("browser.safebrowsing.malware.enabled", false);
user_pref("browser.safebrowsing.phishing.enabled", false);
user_pref("browser.search.update", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("browser.startup.homepage_override.mstone", "ignore");
user_pref("browser.topsites.contile.enabled", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("datareporting.healthreport.uploadEnabled", false);
user_pref("dom.push.connection.enabled", false);
user_pref("extensions.getAddons.cache.enabled", false);
user_pref("extensions.update.enabled", false);
user_pref("media.gmp-manager.updateEnabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("network.trr.mode", 5);
user_pref("network.dns.disablePrefetch", true);
user_pref("services.settings.server", "data:,#remote-settings-dummy/v1");
user_pref("toolkit.telemetry.enabled", false);
user_pref("toolkit.telemetry.server", "");
user_pref("geo.provider.network.url", "");
user_pref("browser.discovery.enabled", false);
user_pref("browser.ml.enable", false);
user_pref("extensions.systemAddon.update.enabled", false);
user_pref("nimbus.rollouts.enabled", false);
`

func firefox(job Job) ([]string, []string, error) {
	page, err := pageURL(job)
	if err != nil {
		return nil, nil, err
	}
	profile := filepath.Join(job.Dir, "profile")
	if err := os.MkdirAll(profile, 0o700); err != nil {
		return nil, nil, fmt.Errorf("making a Firefox profile: %w", err)
	}
	prefs := quietFirefox
	if job.Version == H3 {
		var mapping []string
		for _, host := range hosts(job) {
			mapping = append(mapping, host+";h3=:443")
		}
		prefs += fmt.Sprintf("user_pref(\"network.http.http3.alt-svc-mapping-for-testing\", %q);\n", strings.Join(mapping, ","))
		prefs += "user_pref(\"network.http.http3.disable_when_third_party_roots_found\", false);\n"
	} else {
		prefs += "user_pref(\"network.http.http3.enable\", false);\n"
	}
	if err := os.WriteFile(filepath.Join(profile, "user.js"), []byte(prefs), 0o600); err != nil {
		return nil, nil, fmt.Errorf("writing Firefox preferences: %w", err)
	}
	for _, args := range [][]string{
		{"-N", "-d", "sql:" + profile, "--empty-password"},
		{"-A", "-d", "sql:" + profile, "-n", "Laboratory Root", "-t", "C,,", "-i", job.CAFile},
	} {
		if out, err := exec.Command("certutil", args...).CombinedOutput(); err != nil {
			return nil, nil, fmt.Errorf("giving Firefox the root certificate: %w: %s", err, out)
		}
	}
	argv := []string{"firefox-esr", "--headless", "--no-remote", "--profile", profile, page}
	return argv, []string{"HOME=" + job.Dir, "MOZ_CRASHREPORTER_DISABLE=1", "MOZ_REMOTE_SETTINGS_DEVTOOLS=1"}, nil
}
