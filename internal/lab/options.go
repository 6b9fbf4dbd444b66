package lab

import (
	"crypto/rsa"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/cse-piv/cse-piv/internal/lab/issued"
	"github.com/cse-piv/cse-piv/internal/lab/timing"
	"github.com/cse-piv/cse-piv/internal/lab/yubikey"
)

// Options say what lab Start sets up. The zero value is the lab of the
// documentation: one reader, one YubiKey 5.7.4, the domain lab.example.
type Options struct {
	// Dir receives the lab's files; it is made with mode 0700. What it holds
	// from an earlier start (CA, service account, attestation authority) is
	// used again. Empty: a temporary directory that Close removes.
	Dir string
	// Socket is the path of the PC/SC socket, at most 107 bytes; by default
	// pcscd.comm in Dir, or in a temporary directory where that is too long.
	Socket string
	// NoSocket has no PC/SC socket: where the system's smart card service takes no
	// readers from a program, nobody would connect to it.
	NoSocket bool
	// PCSCListen is a loopback address, such as 127.0.0.1:0, on which the readers are
	// served as well, to every program of this machine; none where empty.
	PCSCListen string
	// Listen is the loopback address of the HTTP server; by default a free port.
	Listen string

	// Readers is how many card readers there are, each with a card of its own;
	// 0 stands for one, -1 for none.
	Readers int
	// NoCard leaves the readers empty.
	NoCard bool
	// Tokens makes each card a device that is its own reader, which vanishes
	// when it is pulled, as a YubiKey on USB does.
	Tokens bool
	// PowerGrace is how long a card keeps its power, and with it a PIN and a
	// management key that were accepted, after the last connection to it was
	// closed: some seconds as with pcscd when 0, not at all when negative.
	PowerGrace time.Duration
	// CardTiming has each command take as long as the table says; nil: none does.
	CardTiming *timing.Table
	// Firmware is that of the cards, for example "5.4.3"; "5.7.4" when empty.
	Firmware string
	// Serial is that of the first card, the next ones count on; 0 draws them.
	Serial uint32
	// FormFactor is that of the cards (yubikey.FormFactorUSBCKeychain when 0).
	FormFactor byte
	// CardState is a file that keeps the first card from one lab to the next.
	// Its attestation authority is kept beside it, in CardState + ".authority".
	CardState string
	// CardFrom is a folder with what an issuer put on the first card, which is no
	// new one then: it has the secrets IssuedPIN, IssuedPUK and
	// IssuedManagementKey. See package issued.
	CardFrom string
	issuedTo []string // the addresses on that card
	// PINComplexity has the cards refuse trivial PINs.
	PINComplexity bool
	// ManualTouch has cards wait for Lab.Touch or the control endpoint where a
	// key's policy asks for a touch; otherwise they are touched at once.
	ManualTouch bool
	// GenerateRSA makes the cards' RSA keys; crypto/rsa when nil. See
	// yubikey.Config.
	GenerateRSA func(bits int) (*rsa.PrivateKey, error)

	// People is how many users of the domain, user1, user2, … by name, get a
	// certificate of the CA, in the folder people in Dir. Nobody has their keys.
	People int
	// Directory has the service account delegated for reading users of the Directory API,
	// as whom the administrator is asked: admin@ in the domain.
	Directory bool
	// Domain is the Workspace domain; when empty it is that of the first address on
	// the card from CardFrom, else "lab.example".
	Domain string
	// TrustRoots are PEM files of further roots that the domain trusts.
	TrustRoots []string
	// FetchCRLs has the domain fetch the revocation lists that certificates name,
	// on whatever machine they are; without it nothing leaves this one.
	FetchCRLs bool
	// ServiceAccountKey is the service account's key, RSA of 2048 bits at
	// least; by default the one in Dir, or a new one.
	ServiceAccountKey *rsa.PrivateKey

	// Latency is added to every API call.
	Latency time.Duration
	// Faults are specifications of package fault.
	Faults []string
	// Seed decides about the faults that come by chance.
	Seed uint64
	// Log receives a line for every fault and every act of control; nil: none.
	Log io.Writer
}

// complete fills in defaults and refuses what makes no sense.
func (o Options) complete() (Options, error) {
	if o.Readers == 0 {
		o.Readers = 1
	}
	if o.CardFrom != "" {
		card, err := issued.Load(o.CardFrom)
		if err != nil {
			return o, err
		}
		if o.issuedTo = card.Addresses; o.Domain == "" && len(o.issuedTo) > 0 {
			_, o.Domain, _ = strings.Cut(strings.ToLower(o.issuedTo[0]), "@")
		}
	}
	if o.Domain == "" {
		o.Domain = "lab.example"
	}
	if strings.ContainsAny(o.Domain, "@/ ") {
		return o, fmt.Errorf("%q is not a domain", o.Domain)
	}
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.Firmware == "" {
		o.Firmware = "5.7.4"
	}
	if _, err := yubikey.ParseFirmware(o.Firmware); err != nil {
		return o, err
	}
	if o.People < 0 {
		return o, fmt.Errorf("%d people is negative", o.People)
	}
	if o.Latency < 0 {
		return o, fmt.Errorf("latency %v is negative", o.Latency)
	}
	return o, nil
}
