package source

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/cse-piv/cse-piv/internal/safetext"
	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// maxPacket bounds one message of a directory, in octets: an entry with all of its
// certificates has some kB.
const maxPacket = 16 << 20

// The library reads what a server announces up to 2 GB, and has no other way to say
// how much is enough. It bounds the depth itself.
func init() { ber.MaxPacketLengthBytes = maxPacket }

// connection is one to a directory, which ends with its context.
type connection struct {
	*ldap.Conn
	raw     net.Conn
	timeout time.Duration
	stop    func() bool
	late    atomic.Bool // the server did not answer in time
}

// connect dials, encrypts and logs in, all within the timeout.
func (d *directory) connect(ctx context.Context) (*connection, error) {
	address := d.url.Host
	if d.url.Port() == "" {
		address = net.JoinHostPort(d.url.Hostname(), map[string]string{"ldap": ldap.DefaultLdapPort, "ldaps": ldap.DefaultLdapsPort}[d.url.Scheme])
	}
	dialer := net.Dialer{Timeout: d.ldap.Timeout}
	raw, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, &Error{Err: errors.New(safetext.NetworkError(err)), Expected: "check the host's name and port, and the network"}
	}
	c := &connection{raw: raw, timeout: d.ldap.Timeout}
	c.stop = context.AfterFunc(ctx, func() { _ = raw.Close() })
	if err := c.open(ctx, d); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *connection) open(ctx context.Context, d *directory) error {
	const expectTLS = "if the directory's certificate is from an authority of your own, name its root"
	_ = c.raw.SetDeadline(time.Now().Add(c.timeout))
	if d.url.Scheme == "ldaps" {
		encrypted := tls.Client(c.raw, d.tlsConfig())
		if err := encrypted.HandshakeContext(ctx); err != nil {
			return &Error{Err: &directoryError{"TLS", err}, Expected: expectTLS}
		}
		c.Conn = ldap.NewConn(encrypted, true)
	} else {
		c.Conn = ldap.NewConn(c.raw, false)
	}
	c.Start()
	if d.ldap.StartTLS && d.url.Scheme == "ldap" {
		if err := c.StartTLS(d.tlsConfig()); err != nil {
			return &Error{Err: &directoryError{"StartTLS", err}, Expected: expectTLS}
		}
	}
	if d.ldap.BindDN != "" {
		if err := c.Bind(d.ldap.BindDN, string(d.ldap.Password.Reveal())); err != nil {
			return &directoryError{"log in as " + d.ldap.BindDN, err}
		}
	}
	return nil
}

// ready ends the time for connecting; from here each wait has its own.
func (c *connection) ready() { _ = c.raw.SetDeadline(time.Time{}) }

// next waits for the next result. Only the wait for the server is timed, however
// long the results before it took to be used.
func (c *connection) next(response ldap.Response) bool {
	timer := time.AfterFunc(c.timeout, func() {
		c.late.Store(true)
		_ = c.raw.Close()
	})
	defer timer.Stop()
	return response.Next()
}

// lost says how the connection broke off, nil if it did not.
func (c *connection) lost() error {
	switch {
	case c.late.Load():
		return fmt.Errorf("no answer within %v", c.timeout)
	case c.IsClosing():
		return errors.New("the connection was lost")
	}
	return nil
}

func (c *connection) close() {
	c.stop()
	_ = c.raw.Close()
	if c.Conn != nil {
		_ = c.Conn.Close()
	}
}
