package cases

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
)

// logServer is a server of Debian's whose log is captured, run as its users run it.
type logServer struct {
	name    string
	version []string // how to ask for its version
	config  string   // %[1]s is its address, %[2]s its directory, %[3]s the resolver, %[4]s the stand-in's address
	listens []uint16
	argv    []string          // %[1]s is its configuration, %[2]s its directory
	logs    map[string]string // what of its lines goes into the log of a format: a text that they hold; empty: the file of that name
}

// The stand-in answers on all of its addresses.
var origin = netip.MustParseAddr("203.0.113.10")

// logServers are the servers beside Squid. Those that forward are told the name by the client, as a gateway is that traffic is sent
// through; the ports of one are apart so that each form of its log has its own.
func logServers() []logServer {
	return []logServer{
		{name: "haproxy", version: []string{"haproxy", "-v"}, config: haproxyConfig, listens: []uint16{8081, 8083, 8443, 8445},
			argv: []string{"haproxy", "-W", "-db", "-f", "%[1]s"},
			logs: map[string]string{"haproxy-http": " plain-web", "haproxy-tcp": " plain-tls", "haproxy-upload": " told-"}},
		{name: "nginx", version: []string{"nginx", "-v"}, config: nginxConfig, listens: []uint16{8082, 8444},
			argv: []string{"nginx", "-c", "%[1]s", "-p", "%[2]s"},
			logs: map[string]string{"nginx-combined": "", "nginx-json": "", "nginx-stream": ""}},
		{name: "tinyproxy", version: []string{"tinyproxy", "-v"}, config: tinyproxyConfig, listens: []uint16{8888},
			argv: []string{"tinyproxy", "-d", "-c", "%[1]s"}, logs: map[string]string{"tinyproxy": ""}},
		{name: "bind", version: []string{"named", "-v"}, config: bindConfig, listens: []uint16{5301},
			argv: []string{"named", "-f", "-c", "%[1]s"}, logs: map[string]string{"bind-query": ""}},
		{name: "unbound", version: []string{"unbound", "-V"}, config: unboundConfig, listens: []uint16{5302},
			argv: []string{"unbound", "-d", "-p", "-c", "%[1]s"}, logs: map[string]string{"unbound": ""}},
		{name: "dnsmasq", version: []string{"dnsmasq", "-v"}, config: dnsmasqConfig, listens: []uint16{5303},
			argv: []string{"dnsmasq", "-k", "-C", "%[1]s"}, logs: map[string]string{"dnsmasq": ""}},
	}
}

const haproxyConfig = `global
  log stdout format raw local0
defaults
  log global
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend plain-web
  mode http
  bind %[1]s:8081
  option httplog
  capture request header Host len 64
  default_backend web
frontend told-web
  mode http
  bind %[1]s:8083
  capture request header Host len 64
  log-format "%%ci:%%cp [%%t] %%f %%b/%%s %%Tq/%%Tw/%%Tc/%%Tr/%%Tt %%ST up=%%U down=%%B %%ts %%hr %%{+Q}r"
  default_backend web
frontend plain-tls
  mode tcp
  bind %[1]s:8443
  option tcplog
  default_backend tls
frontend told-tls
  mode tcp
  bind %[1]s:8445
  tcp-request inspect-delay 5s
  tcp-request content capture req.ssl_sni len 64
  tcp-request content accept if { req.ssl_hello_type 1 }
  log-format "%%ci:%%cp [%%t] %%f %%b/%%s %%Tw/%%Tc/%%Tt up=%%U down=%%B %%ts sni=%%[capture.req.hdr(0)]"
  default_backend tls
backend web
  mode http
  server s1 %[4]s:80
backend tls
  mode tcp
  server s1 %[4]s:443
`

const nginxConfig = `load_module /usr/lib/nginx/modules/ngx_stream_module.so;
user root;
daemon off;
pid %[2]s/nginx.pid;
error_log %[2]s/error.log;
events {}
http {
  log_format told escape=json '{"time":"$time_iso8601","client":"$remote_addr","user":"$remote_user","method":"$request_method","host":"$host","uri":"$request_uri","status":$status,"bytes_sent":$bytes_sent,"request_length":$request_length,"request_time":$request_time,"ua":"$http_user_agent"}';
  access_log %[2]s/nginx-combined.log combined;
  access_log %[2]s/nginx-json.log told;
  client_body_temp_path %[2]s/body;
  proxy_temp_path %[2]s/proxy;
  fastcgi_temp_path %[2]s/fastcgi;
  uwsgi_temp_path %[2]s/uwsgi;
  scgi_temp_path %[2]s/scgi;
  server {
    listen %[1]s:8082;
    client_max_body_size 0;
    location / {
      proxy_pass http://%[4]s:80;
      proxy_set_header Host $host;
    }
  }
}
stream {
  log_format told '$remote_addr [$time_iso8601] $protocol $status "$ssl_preread_server_name" up=$upstream_bytes_sent down=$bytes_sent';
  access_log %[2]s/nginx-stream.log told;
  server {
    listen %[1]s:8444;
    ssl_preread on;
    proxy_pass %[4]s:443;
  }
}
`

const tinyproxyConfig = `Port 8888
Listen %[1]s
Timeout 30
LogFile "%[2]s/tinyproxy.log"
LogLevel Connect
MaxClients 20
Allow 10.20.0.0/16
ConnectPort 443
`

const bindConfig = `options {
  directory "%[2]s";
  pid-file "%[2]s/named.pid";
  session-keyfile "%[2]s/session.key";
  listen-on port 5301 { %[1]s; };
  listen-on-v6 { none; };
  recursion yes;
  allow-query { any; };
  allow-recursion { any; };
  forward only;
  forwarders { %[3]s; };
  dnssec-validation no;
};
controls {};
logging {
  channel queries { file "%[2]s/bind-query.log"; print-time iso8601-utc; print-severity yes; print-category yes; };
  category queries { queries; };
};
`

const unboundConfig = `server:
  interface: %[1]s@5302
  access-control: 10.20.0.0/16 allow
  username: ""
  chroot: ""
  directory: "%[2]s"
  use-syslog: no
  logfile: "%[2]s/unbound.log"
  log-queries: yes
  module-config: "iterator"
forward-zone:
  name: "."
  forward-addr: %[3]s
remote-control:
  control-enable: no
`

const dnsmasqConfig = `port=5303
listen-address=%[1]s
bind-interfaces
user=root
pid-file=%[2]s/dnsmasq.pid
no-resolv
no-hosts
server=%[3]s
log-queries
log-facility=%[2]s/dnsmasq.log
`

// prepare writes a server's configuration and returns its command.
func (s *logServer) prepare(dir string) (argv []string, err error) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, fmt.Errorf("making the directory of %s: %w", s.name, err)
	}
	config := filepath.Join(dir, s.name+".conf")
	text := fmt.Sprintf(s.config+"%.0[1]s%.0[2]s%.0[3]s%.0[4]s", proxy, dir, resolver, origin) // a configuration need not use them all
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		return nil, fmt.Errorf("writing the configuration of %s: %w", s.name, err)
	}
	for _, arg := range s.argv {
		argv = append(argv, fmt.Sprintf(arg+"%.0[1]s%.0[2]s", config, dir))
	}
	return argv, nil
}

// addresses are where the server listens.
func (s *logServer) addresses() (all []netip.AddrPort) {
	for _, port := range s.listens {
		all = append(all, netip.AddrPortFrom(proxy, port))
	}
	return all
}
