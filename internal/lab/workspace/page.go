package workspace

import (
	"encoding/base64"
	"strconv"
	"strings"
)

// Page sizes: the default is the discovery document's, the largest is a guess.
const (
	defaultPage = 20
	largestPage = 100
)

// page reads pageSize and pageToken. After is the number of the last entry of
// the page before; 0 is the beginning.
func (c *call) page(kind string) (size int, after uint64, refused *apiError) {
	size = defaultPage
	if text := c.query.Get("pageSize"); text != "" {
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return 0, 0, badRequest("Invalid value at 'page_size' (TYPE_INT32), %q", text)
		}
		switch {
		case n < 0:
			return 0, 0, invalidArgument("Invalid page size: %d", n)
		case n > largestPage:
			size = largestPage
		case n > 0:
			size = int(n)
		}
	}
	if token := c.query.Get("pageToken"); token != "" {
		var ok bool
		if after, ok = parsePageToken(token, kind, c.user); !ok {
			return 0, 0, invalidArgument("Invalid pageToken")
		}
	}
	return size, after, nil
}

// pageToken names the place after an entry, for one user's list of one kind.
func pageToken(kind, user string, last uint64) string {
	return base64.RawURLEncoding.EncodeToString([]byte(kind + " " + user + " " + strconv.FormatUint(last, 10)))
}

func parsePageToken(token, kind, user string) (uint64, bool) {
	text, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil {
		return 0, false
	}
	number, ok := strings.CutPrefix(string(text), kind+" "+user+" ")
	if !ok {
		return 0, false
	}
	last, err := strconv.ParseUint(number, 10, 64)
	return last, err == nil
}
