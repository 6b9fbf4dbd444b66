package lab

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/lab/fault"
	"github.com/cse-piv/cse-piv/internal/lab/pcscd"
)

// maxControlBody bounds what the control endpoint reads.
const maxControlBody = 1 << 20

// routes are all the lab's HTTP endpoints.
func (l *Lab) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", l.gmail)
	authority := l.counters.timeCA(l.ca)
	for _, path := range []string{"/.well-known/est/", "/crl/", "/certs/", "/ocsp", "/ocsp/"} {
		mux.Handle(path, authority)
	}
	l.controlRoutes(mux)
	return mux
}

// control answers with what act returns, as JSON; errors as {"error": …}.
func control(act func(*http.Request) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A page in a browser has no business here.
		if r.Header.Get("Origin") != "" {
			http.Error(w, "not for browsers", http.StatusForbidden)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxControlBody)
		result, err := act(r)
		status := http.StatusOK
		if err != nil {
			status, result = statusOf(err), map[string]string{"error": err.Error()}
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		// A client that went away is not waiting for an error.
		_ = json.NewEncoder(w).Encode(result)
	})
}

func statusOf(err error) int {
	var spec *fault.SpecError
	switch {
	case errors.Is(err, pcscd.ErrNoReader):
		return http.StatusNotFound
	case errors.Is(err, pcscd.ErrOccupied), errors.Is(err, pcscd.ErrEmpty), errors.Is(err, ErrNoCard):
		return http.StatusConflict
	case errors.As(err, &spec), errors.Is(err, errBadRequest):
		return http.StatusBadRequest
	}
	return http.StatusInternalServerError
}

var errBadRequest = errors.New("bad request")

// readJSON reads an optional body; without one, into stays as it is.
func readJSON(r *http.Request, into any) error {
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: %w", errBadRequest, err)
	}
	return nil
}

// controlFaults takes one specification a line.
func (l *Lab) controlFaults(r *http.Request) (any, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errBadRequest, err)
	}
	specs := strings.Fields(string(body))
	if err := l.SetFaults(specs...); err != nil {
		return nil, err
	}
	return map[string]int{"set": len(specs)}, nil
}

// readerView is a reader as the control endpoint shows it.
type readerView struct {
	Name     string `json:"name"`
	Inserted bool   `json:"inserted"`
	// Unlocked: the next program finds a PIN verified or a management key proven.
	Unlocked bool `json:"unlocked"`
	// Serial and Firmware are those of the YubiKey that is or was there last.
	Serial   uint32 `json:"serial,omitempty"`
	Firmware string `json:"firmware,omitempty"`
}

func (l *Lab) readerViews() []readerView {
	views := []readerView{}
	for i, name := range l.Names() {
		unlocked, err := l.Unlocked(i)
		view := readerView{Name: name, Inserted: err == nil, Unlocked: unlocked}
		if card := l.Card(i); card != nil {
			view.Serial, view.Firmware = card.Serial(), card.Firmware().String()
		}
		views = append(views, view)
	}
	return views
}

func readerNumber(r *http.Request) (int, error) {
	n, err := strconv.Atoi(r.PathValue("n"))
	if err != nil {
		return 0, fmt.Errorf("reader %q: %w", r.PathValue("n"), pcscd.ErrNoReader)
	}
	return n, nil
}

func (l *Lab) controlPull(r *http.Request) (any, error) {
	n, err := readerNumber(r)
	if err != nil {
		return nil, err
	}
	if err := l.Pull(n); err != nil {
		return nil, err
	}
	return l.readerViews()[n], nil
}

// controlInsert puts the last card back, or with a body another one.
func (l *Lab) controlInsert(r *http.Request) (any, error) {
	n, err := readerNumber(r)
	if err != nil {
		return nil, err
	}
	var body struct {
		Serial   uint32 `json:"serial"`
		Firmware string `json:"firmware"`
		From     string `json:"from"`    // a folder with what an issuer put on the card
		Blank    bool   `json:"blank"`   // a new card, its serial drawn where not given
		Foreign  bool   `json:"foreign"` // a card that is no YubiKey
	}
	if err := readJSON(r, &body); err != nil {
		return nil, err
	}
	switch {
	case body.Foreign:
		err = l.InsertForeign(n)
	case body.Blank || body.Serial != 0 || body.Firmware != "" || body.From != "":
		card, makeErr := l.NewCard(CardSpec{Serial: body.Serial, Firmware: body.Firmware, From: body.From})
		if makeErr != nil {
			return nil, fmt.Errorf("%w: %w", errBadRequest, makeErr)
		}
		err = l.Insert(n, card)
	default:
		err = l.Insert(n, nil)
	}
	if err != nil {
		return nil, err
	}
	return l.readerViews()[n], nil
}

// controlClock moves the lab's clock: {"advance": "720h"}.
func (l *Lab) controlClock(r *http.Request) (any, error) {
	var body struct {
		Advance string `json:"advance"`
	}
	if err := readJSON(r, &body); err != nil {
		return nil, err
	}
	d, err := time.ParseDuration(body.Advance)
	if err != nil {
		return nil, fmt.Errorf("%w: advance: %w", errBadRequest, err)
	}
	l.Advance(d)
	return map[string]time.Time{"now": l.gmail.Now()}, nil
}

// controlCSE switches client-side encryption: {"email": "", "on": false}.
func (l *Lab) controlCSE(r *http.Request) (any, error) {
	var body struct {
		Email string `json:"email"`
		On    bool   `json:"on"`
	}
	if err := readJSON(r, &body); err != nil {
		return nil, err
	}
	l.gmail.SetCSE(body.Email, body.On)
	l.log.line("client-side encryption of %q: %v", body.Email, body.On)
	return body, nil
}

// controlRevoke revokes a certificate of the CA's: {"certificate": PEM}.
func (l *Lab) controlRevoke(r *http.Request) (any, error) {
	certificate, err := readCertificate(r)
	if err != nil {
		return nil, err
	}
	return map[string]string{"revoked": certificate.SerialNumber.String()}, l.ca.Revoke(certificate.SerialNumber)
}

// controlUploadKey gives the service account a key: {"certificate": PEM}.
func (l *Lab) controlUploadKey(r *http.Request) (any, error) {
	certificate, err := readCertificate(r)
	if err != nil {
		return nil, err
	}
	id, err := l.gmail.UploadKey(certificate)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errBadRequest, err)
	}
	l.log.line("key %s uploaded to the service account", id)
	return map[string]string{"key_id": id}, nil
}

// readCertificate reads {"certificate": PEM}.
func readCertificate(r *http.Request) (*x509.Certificate, error) {
	var body struct {
		Certificate string `json:"certificate"`
	}
	if err := readJSON(r, &body); err != nil {
		return nil, err
	}
	block, _ := pem.Decode([]byte(body.Certificate))
	if block == nil {
		return nil, fmt.Errorf("%w: certificate is not PEM", errBadRequest)
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%w: certificate: %w", errBadRequest, err)
	}
	return certificate, nil
}

// controlTouch touches the cards that wait; {"manual": true} has them wait from
// now on.
func (l *Lab) controlTouch(r *http.Request) (any, error) {
	var body struct {
		Manual *bool `json:"manual"`
	}
	if err := readJSON(r, &body); err != nil {
		return nil, err
	}
	if body.Manual != nil {
		l.SetManualTouch(*body.Manual)
		return map[string]bool{"manual": *body.Manual}, nil
	}
	return map[string]int{"touched": l.Touch()}, nil
}
