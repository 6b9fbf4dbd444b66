package certificate

import (
	"crypto/x509"
	"sync"

	"github.com/cse-piv/cse-piv/internal/secret"
)

const (
	// maxKnown bounds what a [Reader] remembers.
	maxKnown = 1000
	// maxKnownSize bounds the octets of one certificate in it, far above what authorities have.
	maxKnownSize = 8 << 10
)

// Reader reads many files as [Parse] does, and parses an authority's certificate that stands
// in all of them once: the files then share it, and nobody may change it. The zero value is
// ready for use, by several goroutines at a time.
type Reader struct {
	// Password is that of PKCS#12 files, where they have one.
	Password secret.Secret

	mutex sync.RWMutex
	known map[string]*x509.Certificate // by what stands in a file: DER, or the body of a PEM block
}

// Parse reads a file; see the function [Parse].
func (r *Reader) Parse(data []byte) ([]*x509.Certificate, error) {
	return (&reader{known: r, password: r.Password}).read(data)
}

// get returns the certificate that octets stand for, nil where it is not known.
func (r *Reader) get(octets []byte) *x509.Certificate {
	if r == nil {
		return nil
	}
	r.mutex.RLock()
	defer r.mutex.RUnlock()
	return r.known[string(octets)]
}

// keep remembers which authority's certificate octets stand for, in which no fault was found.
func (r *Reader) keep(octets []byte, cert *x509.Certificate) {
	if r == nil || !cert.IsCA || len(octets) > maxKnownSize {
		return
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.known == nil || len(r.known) >= maxKnown {
		r.known = map[string]*x509.Certificate{}
	}
	r.known[string(octets)] = cert
}
