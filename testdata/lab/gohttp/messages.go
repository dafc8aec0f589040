package gohttp

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net/url"

	"github.com/gnomon-sensor/gnomon/testdata/lab/clients"
	"golang.org/x/net/websocket"
)

// messages sends each request's body as one WebSocket message and waits for the answer; requests to one host go over one connection.
func messages(ctx context.Context, config *tls.Config, requests []clients.Request) error {
	var conn *websocket.Conn
	var host string
	for _, r := range requests {
		u, err := url.Parse(r.URL)
		if err != nil {
			return fmt.Errorf("reading %s: %w", r.URL, err)
		}
		if u.Host != host {
			if conn != nil {
				if err := conn.Close(); err != nil {
					return fmt.Errorf("leaving %s: %w", host, err)
				}
			}
			if conn, err = dialMessages(ctx, config, r.URL); err != nil {
				return err
			}
			host = u.Host
		}
		if err := exchange(conn, r.Upload, u.Query().Get("down")); err != nil {
			return fmt.Errorf("talking to %s: %w", r.URL, err)
		}
	}
	if conn == nil {
		return nil
	}
	return conn.Close()
}

func dialMessages(ctx context.Context, config *tls.Config, to string) (*websocket.Conn, error) {
	ws, err := websocket.NewConfig(to, "https://localhost/")
	if err != nil {
		return nil, fmt.Errorf("preparing %s: %w", to, err)
	}
	ws.TlsConfig = config
	conn, err := ws.DialContext(ctx)
	if err != nil {
		return nil, fmt.Errorf("dialling %s: %w", to, err)
	}
	return conn, nil
}

// exchange sends a message of size bytes that begins with how many are to come back, if that is said, and waits for them.
func exchange(conn *websocket.Conn, size int, down string) error {
	message := bytes.Repeat([]byte("x"), size)
	if down != "" && size >= 8 {
		copy(message, fmt.Sprintf("%-8s", down))
	}
	if err := websocket.Message.Send(conn, message); err != nil {
		return err
	}
	var answer []byte
	return websocket.Message.Receive(conn, &answer)
}
