package certificate

import (
	"crypto/x509"
	"sync"

	"github.com/cse-piv/cse-piv/internal/secret"
)

const (
	// maxKnown bounds the authorities that a [Reader] remembers.
	maxKnown = 1000
	// maxKnownSize bounds the octets of one of them, far above what authorities have.
	maxKnownSize = 8 << 10
)

// Reader reads many files as [Parse] does, and parses an authority's certificate that stands
// in all of them once: the files then share it, and nobody may change it. The zero value is
// ready for use, by several goroutines at a time.
type Reader struct {
	// Password is that of PKCS#12 files, where they have one.
	Password secret.Secret

	mutex sync.RWMutex
	known map[string]*x509.Certificate // by the octets
}

// Parse reads a file; see the function [Parse].
func (r *Reader) Parse(data []byte) ([]*x509.Certificate, error) {
	return (&reader{known: r, password: r.Password}).read(data)
}

// get returns the certificate of those octets, nil where it is not known.
func (r *Reader) get(der []byte) *x509.Certificate {
	if r == nil {
		return nil
	}
	r.mutex.RLock()
	defer r.mutex.RUnlock()
	return r.known[string(der)]
}

// keep remembers an authority's certificate, in which no fault was found.
func (r *Reader) keep(cert *x509.Certificate) {
	if r == nil || !cert.IsCA || len(cert.Raw) > maxKnownSize {
		return
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.known == nil || len(r.known) >= maxKnown {
		r.known = map[string]*x509.Certificate{}
	}
	r.known[string(cert.Raw)] = cert
}
