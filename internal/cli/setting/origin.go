package setting

import (
	"fmt"
	"strconv"

	"github.com/spf13/pflag"
)

// originAnnotation is the annotation of a flag that says where its value came from.
const originAnnotation = "origin"

// OriginKind is a kind of place that a setting can come from.
type OriginKind string

// The places, in the order in which they count; an enrollment profile is not overruled by any of
// them, see [Profile.Choose].
const (
	OriginFlag     OriginKind = "flag"     // typed
	OriginVariable OriginKind = "variable" // of the environment
	OriginProfile  OriginKind = "profile"  // the enrollment profile
	OriginFile     OriginKind = "file"     // config.toml
	OriginDefault  OriginKind = "default"
)

// Origin is where the value of a setting came from. The JSON names are a contract.
type Origin struct {
	Kind     OriginKind `json:"kind"`
	Variable string     `json:"variable,omitempty"`
	Profile  string     `json:"profile,omitempty"` // its name
	File     string     `json:"file,omitempty"`    // of a value that stands in one
	Line     int        `json:"line,omitempty"`    // in the file, from 1
}

// String says it for people.
func (o Origin) String() string {
	switch o.Kind {
	case OriginVariable:
		return o.Variable
	case OriginProfile:
		return fmt.Sprintf("profile %s, %s:%d", o.Profile, o.File, o.Line)
	case OriginFile:
		return fmt.Sprintf("%s:%d", o.File, o.Line)
	case OriginFlag:
		return "the command line"
	}
	return string(o.Kind)
}

// OriginOf returns where the value of a flag came from, once [Apply] was called.
func OriginOf(flag *pflag.Flag) Origin {
	values := flag.Annotations[originAnnotation]
	switch {
	case len(values) == 5:
		line, _ := strconv.Atoi(values[4]) // setOrigin wrote it
		return Origin{OriginKind(values[0]), values[1], values[2], values[3], line}
	case flag.Changed:
		return Origin{Kind: OriginFlag}
	}
	return Origin{Kind: OriginDefault}
}

func setOrigin(flag *pflag.Flag, origin Origin) {
	if flag.Annotations == nil {
		flag.Annotations = map[string][]string{}
	}
	flag.Annotations[originAnnotation] = []string{string(origin.Kind), origin.Variable, origin.Profile, origin.File, strconv.Itoa(origin.Line)}
}
