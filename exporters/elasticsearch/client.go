package elasticsearch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"
)

// Client speaks with a cluster. Its methods may be called from several goroutines.
type Client struct {
	transport *elastictransport.Client
	http      *http.Transport
	nodes     *nodes
	access    *access
	timeout   time.Duration
}

// NewClient checks the settings and reads their files; secrets may stand in environ. It does not connect: the cluster may be away now.
func NewClient(c *Config, environ []string) (*Client, error) {
	if len(c.Addresses) == 0 {
		return nil, errors.New("connecting to Elasticsearch: no address is set; set elasticsearch.addresses")
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	conf, err := c.tlsConfig()
	if err != nil {
		return nil, err
	}
	client := &Client{timeout: c.Timeout}
	if client.access, err = newAccess(c, environ); err != nil {
		return nil, err
	}
	client.http = &http.Transport{
		Proxy:                  c.proxy(),
		DialContext:            (&net.Dialer{Timeout: min(c.Timeout, connectWithin), KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:        conf,
		TLSHandshakeTimeout:    min(c.Timeout, connectWithin),
		ResponseHeaderTimeout:  c.Timeout,
		MaxIdleConnsPerHost:    c.Requests,
		IdleConnTimeout:        90 * time.Second,
		DisableCompression:     true,
		MaxResponseHeaderBytes: 64 << 10,
	}
	var urls []*url.URL
	for _, address := range c.Addresses {
		u, err := parseAddress(address)
		if err != nil {
			return nil, err // Validate has seen it
		}
		urls = append(urls, u)
	}
	client.transport, err = elastictransport.New(elastictransport.Config{UserAgent: "gnomon", URLs: urls, Transport: client, DisableRetry: true,
		ConnectionPoolFunc: func(conns []*elastictransport.Connection, _ elastictransport.Selector) elastictransport.ConnectionPool {
			client.nodes = newNodes(conns, time.Now)
			return client.nodes
		}})
	if err != nil {
		return nil, fmt.Errorf("connecting to Elasticsearch: %w", err)
	}
	return client, nil
}

// connectWithin bounds connecting to a node.
const connectWithin = 10 * time.Second

// proxy is what the settings say of one.
func (c *Config) proxy() func(*http.Request) (*url.URL, error) {
	switch c.Proxy {
	case "":
		return http.ProxyFromEnvironment
	case proxyDirect:
		return nil
	}
	u, err := url.Parse(c.Proxy)
	return func(*http.Request) (*url.URL, error) { return u, err }
}

// RoundTrip implements http.RoundTripper between elastictransport, which has chosen the node, and the network.
func (c *Client) RoundTrip(r *http.Request) (*http.Response, error) {
	if header := c.access.authorization(); header != "" {
		r.Header.Set("Authorization", header)
	}
	answer, err := c.http.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	c.nodes.answered(r.URL.Host, answer.StatusCode)
	if answer.StatusCode == http.StatusUnauthorized {
		// Somebody may have replaced the secrets: the next try is with what is there now. If it cannot be read, the old one is refused again.
		_ = c.access.read()
	}
	return answer, nil
}

// Perform sends a request to one of the nodes; it makes a Client what esapi wants. It does not try again.
func (c *Client) Perform(r *http.Request) (*http.Response, error) { return c.transport.Perform(r) }

// maxAnswer bounds what is read of an answer.
const maxAnswer = 64 << 20

// Do sends a request with a JSON body, nil for none, and returns the status and the text of the answer. The path begins with a slash; it may
// carry a query, and is escaped where names in it need it. An error means that there was no answer that could be read to its end.
func (c *Client) Do(ctx context.Context, method, path string, body []byte) (status int, answer []byte, err error) {
	status, answer, _, err = c.do(ctx, method, path, body)
	return status, answer, err
}

func (c *Client) do(ctx context.Context, method, path string, body []byte) (status int, answer []byte, header http.Header, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	var content io.Reader
	if body != nil {
		content = bytes.NewReader(body)
	}
	r, err := http.NewRequestWithContext(ctx, method, path, content)
	if err != nil {
		return 0, nil, nil, fmt.Errorf("asking Elasticsearch: %w", err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	response, err := c.Perform(r)
	if err != nil {
		return 0, nil, nil, fmt.Errorf("asking Elasticsearch: %s %s: %w", method, r.URL.Path, err)
	}
	defer func() { _ = response.Body.Close() }()
	if answer, err = readBounded(response.Body, maxAnswer, nil); err != nil {
		return 0, nil, nil, fmt.Errorf("reading the answer of Elasticsearch to %s %s: %w", method, r.URL.Path, err)
	}
	return response.StatusCode, answer, response.Header, nil
}

// readBounded reads all into buf, or says that it is too much.
func readBounded(r io.Reader, most int, buf []byte) ([]byte, error) {
	b := bytes.NewBuffer(buf[:0])
	n, err := b.ReadFrom(io.LimitReader(r, int64(most)+1))
	if err == nil && n > int64(most) {
		err = fmt.Errorf("it is longer than %d bytes", most)
	}
	return b.Bytes(), err
}

// Server is what answers.
type Server struct {
	Distribution string // Elasticsearch or OpenSearch
	Version      string // as in 8.19.8; empty where this user may not know it
}

// Distributions that a Server may have.
const (
	Elasticsearch = "elasticsearch"
	OpenSearch    = "opensearch"
)

// AtLeast says whether the version is known and not before major.minor.
func (s *Server) AtLeast(major, minor int) bool {
	haveMajor, haveMinor := s.number()
	return haveMajor > major || haveMajor == major && haveMajor > 0 && haveMinor >= minor
}

// number is the version's beginning; zeros for none.
func (s *Server) number() (major, minor int) {
	if n, err := fmt.Sscanf(s.Version, "%d.%d", &major, &minor); err != nil || n != 2 {
		return 0, 0
	}
	return major, minor
}

// productHeader stands in every answer of Elasticsearch since 7.14, and in none of OpenSearch.
const productHeader = "X-Elastic-Product"

// errNotElastic is for an answer of something else.
var errNotElastic = errors.New("asking what answers: it is neither Elasticsearch nor OpenSearch; check elasticsearch.addresses and elasticsearch.proxy")

// Server asks what answers.
func (c *Client) Server(ctx context.Context) (Server, error) {
	status, answer, header, err := c.do(ctx, http.MethodGet, "/", nil)
	if err != nil {
		return Server{}, err
	}
	elastic := header.Get(productHeader) != ""
	switch {
	case status == http.StatusUnauthorized:
		return Server{}, fmt.Errorf("asking what answers: %w", &StatusError{Status: status, Reason: Reason(answer)})
	case status == http.StatusOK:
		return parseServer(answer, elastic)
	case elastic:
		s := Server{Distribution: Elasticsearch}
		s.Version = c.versionOfNodes(ctx)
		return s, nil
	case status == http.StatusForbidden && json.Valid(answer): // OpenSearch, and this user may not ask
		return Server{Distribution: OpenSearch}, nil
	}
	return Server{}, errNotElastic
}

// parseServer reads the answer of GET /.
func parseServer(answer []byte, elastic bool) (Server, error) {
	var said struct {
		Version struct {
			Number       string `json:"number"`
			Distribution string `json:"distribution"`
		} `json:"version"`
	}
	if err := json.Unmarshal(answer, &said); err != nil || said.Version.Number == "" {
		return Server{}, errNotElastic
	}
	s := Server{Distribution: Elasticsearch, Version: said.Version.Number}
	if said.Version.Distribution == OpenSearch && !elastic {
		s.Distribution = OpenSearch
	}
	return s, nil
}

// versionOfNodes asks the nodes, where GET / is not answered; empty if they do not say.
func (c *Client) versionOfNodes(ctx context.Context) string {
	status, answer, err := c.Do(ctx, http.MethodGet, "/_nodes/http?filter_path=nodes.*.version", nil)
	if err != nil || status != http.StatusOK {
		return ""
	}
	var said struct {
		Nodes map[string]struct {
			Version string `json:"version"`
		} `json:"nodes"`
	}
	if json.Unmarshal(answer, &said) != nil {
		return ""
	}
	oldest := Server{}
	for _, n := range said.Nodes {
		if s := (Server{Version: n.Version}); oldest.Version == "" || !s.AtLeast(oldest.number()) {
			oldest = s
		}
	}
	return oldest.Version
}

// Close lets go of the connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }
