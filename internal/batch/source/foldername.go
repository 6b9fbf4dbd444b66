package source

import (
	"net/url"
	"strings"

	"github.com/cse-piv/cse-piv/internal/certificate"
)

// folderFile is what a file's name in a folder says.
type folderFile struct {
	name  string // the file's
	email string
	use   certificate.Use
}

// parseFolderName reads ADDRESS[.sign|.encrypt|.history[.N]].EXT. Case is
// disregarded in all but the address; octets may be percent-encoded (%2F). A name
// without an address or with another extension is nobody's.
func parseFolderName(name string) (folderFile, bool) {
	stem, extension := cutLast(name)
	switch strings.ToLower(extension) {
	case "p7pem", "pem", "cer", "crt", "p7b", "p7c", "der", "p12", "pfx":
	default:
		return folderFile{}, false
	}
	file := folderFile{name: name, use: certificate.UseBoth}
	rest, last := cutLast(stem)
	if isNumber(last) {
		if inner, word := cutLast(rest); strings.EqualFold(word, string(certificate.UseHistory)) {
			rest, last = inner, word
		}
	}
	switch use := certificate.Use(strings.ToLower(last)); use {
	case certificate.UseSign, certificate.UseEncrypt, certificate.UseHistory:
		stem, file.use = rest, use
	}
	file.email = stem
	// A percent sign that begins no encoding stands for itself.
	if decoded, err := url.PathUnescape(stem); err == nil {
		file.email = decoded
	}
	local, domain, found := strings.Cut(file.email, "@")
	return file, found && local != "" && domain != ""
}

// isPKCS12 tells by its name a file that has a private key beside the certificate.
func isPKCS12(name string) bool {
	_, extension := cutLast(strings.ToLower(name))
	return extension == "p12" || extension == "pfx"
}

// cutLast cuts at the last dot.
func cutLast(s string) (before, after string) {
	i := strings.LastIndexByte(s, '.')
	if i < 0 {
		return s, ""
	}
	return s[:i], s[i+1:]
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
