package yubikey

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
)

// Object identifiers of Yubico's attestation extensions.
var (
	oidFirmware   = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 41482, 3, 3}
	oidSerial     = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 41482, 3, 7}
	oidPolicies   = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 41482, 3, 8}
	oidFormFactor = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 41482, 3, 9}
)

var (
	oidCommonName      = asn1.ObjectIdentifier{2, 5, 4, 3}
	oidSHA256WithRSA   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}
	oidECDSAWithSHA256 = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
	oidECDSAWithSHA384 = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 3}
)

// tbsCertificate is the signed part of a certificate (RFC 5280, 4.1). The parts
// that an attestation takes over from f9's certificate stay as they are encoded.
type tbsCertificate struct {
	Version    int `asn1:"optional,explicit,default:0,tag:0"`
	Serial     *big.Int
	Algorithm  pkix.AlgorithmIdentifier
	Issuer     asn1.RawValue
	Validity   asn1.RawValue
	Subject    asn1.RawValue
	PublicKey  asn1.RawValue
	Extensions []pkix.Extension `asn1:"optional,explicit,tag:3"`
}

type certificate struct {
	TBS       asn1.RawValue
	Algorithm pkix.AlgorithmIdentifier
	Signature asn1.BitString
}

// attest states in a certificate that the key in a slot was generated here
// (Yubico's PIV extensions, "Attest"). An empty slot and an imported key are
// wrong data.
func (c *Card) attest(cmd command) ([]byte, status) {
	slot := slotID(cmd.p1)
	if cmd.p2 != 0 {
		return nil, swWrongParameters
	}
	key, ok := c.state.Slots[slot]
	if !ok || !slot.forUser() || key.Origin != originGenerated {
		return nil, swWrongData
	}
	der, err := c.statement(slot, key)
	if err != nil {
		return nil, swWrongData
	}
	return der, swOK
}

// statement builds the attestation certificate of a slot. Issuer and validity
// are those of f9's certificate. It fails when slot f9 does not hold a key that
// can sign and a certificate, which can only be after they were replaced.
func (c *Card) statement(slot slotID, key *slotState) ([]byte, error) {
	device, err := c.deviceCertificate()
	if err != nil {
		return nil, err
	}
	signer, ok := c.state.Slots[slotAttestation]
	if !ok {
		return nil, errors.New("no attestation key")
	}
	algorithm, hash, err := signatureAlgorithm(signer.private)
	if err != nil {
		return nil, err
	}
	serial, err := c.attestationSerial()
	if err != nil {
		return nil, err
	}
	spki, err := x509.MarshalPKIXPublicKey(publicOf(key.private))
	if err != nil {
		return nil, fmt.Errorf("encoding the attested key: %w", err)
	}
	subject, err := commonName("YubiKey PIV Attestation " + slot.String())
	if err != nil {
		return nil, err
	}
	extensions, err := c.attestationExtensions(key)
	if err != nil {
		return nil, err
	}
	tbs, err := asn1.Marshal(tbsCertificate{
		Version: 2, Serial: serial, Algorithm: algorithm,
		Issuer: device.Subject, Validity: device.Validity,
		Subject:    asn1.RawValue{FullBytes: subject},
		PublicKey:  asn1.RawValue{FullBytes: spki},
		Extensions: extensions,
	})
	if err != nil {
		return nil, fmt.Errorf("encoding an attestation: %w", err)
	}
	return signCertificate(tbs, algorithm, hash, signer.private)
}

func signCertificate(tbs []byte, algorithm pkix.AlgorithmIdentifier, hash crypto.Hash, private crypto.PrivateKey) ([]byte, error) {
	signer, ok := private.(crypto.Signer)
	if !ok {
		return nil, errors.New("the attestation key cannot sign")
	}
	digest := hash.New()
	digest.Write(tbs)
	signature, err := signer.Sign(rand.Reader, digest.Sum(nil), hash)
	if err != nil {
		return nil, fmt.Errorf("signing an attestation: %w", err)
	}
	return asn1.Marshal(certificate{
		TBS: asn1.RawValue{FullBytes: tbs}, Algorithm: algorithm,
		Signature: asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)},
	})
}

// deviceCertificate reads f9's certificate out of its data object.
func (c *Card) deviceCertificate() (tbsCertificate, error) {
	fields, ok := parseTLVs(c.state.Objects[objectAttestation])
	if !ok || len(fields) == 0 || fields[0].tag != tagCertificate {
		return tbsCertificate{}, errors.New("no attestation certificate")
	}
	var outer certificate
	if _, err := asn1.Unmarshal(fields[0].value, &outer); err != nil {
		return tbsCertificate{}, fmt.Errorf("attestation certificate: %w", err)
	}
	var tbs tbsCertificate
	if _, err := asn1.Unmarshal(outer.TBS.FullBytes, &tbs); err != nil {
		return tbsCertificate{}, fmt.Errorf("attestation certificate: %w", err)
	}
	return tbs, nil
}

// attestationSerial draws a positive number of exactly 16 bytes.
func (c *Card) attestationSerial() (*big.Int, error) {
	var b [16]byte
	if _, err := io.ReadFull(c.rand, b[:]); err != nil {
		return nil, fmt.Errorf("drawing a certificate's serial number: %w", err)
	}
	b[0] = b[0]&0x3f | 0x40
	return new(big.Int).SetBytes(b[:]), nil
}

// attestationExtensions tells firmware (3 bytes), serial number (an INTEGER),
// PIN and touch policy (2 bytes) and form factor (1 byte); none of them but the
// serial number is DER inside. Firmware 4 leaves out serial number and form
// factor.
func (c *Card) attestationExtensions(key *slotState) ([]pkix.Extension, error) {
	firmware := firmwareExtension(c.state.Firmware)
	policies := pkix.Extension{Id: oidPolicies, Value: []byte{key.PINPolicy, key.TouchPolicy}}
	if !c.profile.can(SerialInAttestation) {
		return []pkix.Extension{firmware, policies}, nil
	}
	serial, err := asn1.Marshal(int64(c.state.Serial))
	if err != nil {
		return nil, fmt.Errorf("encoding the serial number: %w", err)
	}
	return []pkix.Extension{
		firmware, {Id: oidSerial, Value: serial}, policies,
		{Id: oidFormFactor, Value: []byte{c.state.FormFactor}},
	}, nil
}

func firmwareExtension(v Version) pkix.Extension {
	return pkix.Extension{Id: oidFirmware, Value: []byte{v.Major, v.Minor, v.Patch}}
}

// signatureAlgorithm is what the attestation key signs with.
func signatureAlgorithm(private crypto.PrivateKey) (pkix.AlgorithmIdentifier, crypto.Hash, error) {
	switch key := private.(type) {
	case *rsa.PrivateKey:
		return pkix.AlgorithmIdentifier{Algorithm: oidSHA256WithRSA, Parameters: asn1.NullRawValue}, crypto.SHA256, nil
	case *ecdsa.PrivateKey:
		if key.Curve == eccP384.curve() {
			return pkix.AlgorithmIdentifier{Algorithm: oidECDSAWithSHA384}, crypto.SHA384, nil
		}
		return pkix.AlgorithmIdentifier{Algorithm: oidECDSAWithSHA256}, crypto.SHA256, nil
	}
	return pkix.AlgorithmIdentifier{}, 0, fmt.Errorf("no attestations with a key of type %T", private)
}

// commonName encodes a name of one UTF8String CN, as the card writes it.
func commonName(name string) ([]byte, error) {
	der, err := asn1.Marshal(pkix.RDNSequence{{{
		Type:  oidCommonName,
		Value: asn1.RawValue{Tag: asn1.TagUTF8String, Bytes: []byte(name)},
	}}})
	if err != nil {
		return nil, fmt.Errorf("encoding the name %q: %w", name, err)
	}
	return der, nil
}
