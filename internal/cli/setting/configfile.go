package setting

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cse-piv/cse-piv/internal/cli/usage"
	"github.com/cse-piv/cse-piv/internal/config"
	"github.com/cse-piv/cse-piv/internal/secret"
)

const configFlag = "config"

// AddConfig adds the flag --config, of all commands.
func AddConfig(flags *pflag.FlagSet) {
	flags.String(configFlag, "", "`file` with settings and enrollment profiles (default cse-piv/config.toml in the user's configuration folder, where it is there)")
	Mark(flags, configFlag)
}

// configPath returns where config.toml is, and whether somebody named it: then it has to be there.
func configPath(cmd *cobra.Command) (path string, named bool, err error) {
	for _, path := range []string{cmd.Flag(configFlag).Value.String(), os.Getenv(EnvironmentName(configFlag))} {
		if path != "" {
			return path, true, nil
		}
	}
	path, err = config.DefaultPath()
	return path, false, err
}

// readConfig reads config.toml; where there is none, and nobody named one, the file is empty.
func readConfig(cmd *cobra.Command) (*config.File, error) {
	path, named, err := configPath(cmd)
	if err != nil {
		return &config.File{}, nil // a machine without homes
	}
	file, err := config.Read(path)
	if errors.Is(err, fs.ErrNotExist) && !named {
		return &config.File{}, nil
	}
	if err != nil && !errors.As(err, new(*config.Error)) {
		return nil, fmt.Errorf("--config: %w", err)
	}
	return file, err
}

// checkFile finds what is wrong with the file: keys that mean nothing, values of another type,
// secrets, profiles that contradict themselves. It returns the profiles.
func checkFile(cmd *cobra.Command, file *config.File) (map[string]*EnrollmentProfile, error) {
	settings := All(cmd.Root())
	known := slices.Sorted(maps.Keys(settings))
	for _, key := range file.Settings.Keys() {
		value := file.Settings.Values[key]
		if err := checkKey(key, value, known, settings); err != nil {
			return nil, err
		}
		flag := settings[key]
		texts, err := textsOf(flag, value)
		if err == nil {
			err = checkValue(flag, texts, value)
		}
		if err == nil && cmd.Flags().Lookup(key) == nil {
			err = setValue(flag, value) // nobody reads it
		}
		if err != nil {
			return nil, err
		}
	}
	return readProfiles(cmd.Root(), file)
}

// checkKey refuses a key that is none of the known ones, and secrets.
func checkKey(key string, value config.Value, known []string, settings map[string]*pflag.Flag) error {
	if !slices.Contains(known, key) {
		if of := secretFile(key, settings); of != "" {
			return value.Origin.Errorf("%s: no secret stands in the configuration, where others may read it: name its file as %s", key, of)
		}
		return value.Origin.Errorf("%w", &config.UnknownKeyError{Key: key, Known: known})
	}
	for _, text := range value.Texts() {
		if strings.Contains(text, "AGE-SECRET-KEY-") || hasPassword(text) {
			return value.Origin.Errorf("%s: no secret stands in the configuration, where others may read it", key)
		}
	}
	return nil
}

// secretFile returns the setting that names the file of a secret that is known by the key; "" for
// no secret.
func secretFile(key string, settings map[string]*pflag.Flag) string {
	key = strings.TrimSuffix(key, "-fd")
	if name := key + "-file"; settings[name] != nil && isSecret(settings[name]) {
		return name
	}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		of, isFile := strings.CutSuffix(name, "-file")
		if isFile && isSecret(settings[name]) && strings.HasSuffix(of, "-"+key) {
			return name
		}
	}
	return ""
}

// hasPassword reports whether a text is an address with a password in it.
func hasPassword(text string) bool {
	address, err := url.Parse(text)
	if err != nil || !strings.Contains(text, "://") {
		return false
	}
	_, has := address.User.Password()
	return has || address.Query().Has("password") || address.Query().Has("sslpassword")
}

// setValue sets a flag to what stands in the file.
func setValue(flag *pflag.Flag, value config.Value) error {
	texts, err := textsOf(flag, value)
	if err != nil {
		return err
	}
	if list, isList := flag.Value.(pflag.SliceValue); isList {
		return list.Replace(texts)
	}
	if err := flag.Value.Set(texts[0]); err != nil {
		return value.Origin.Errorf("%s: %s", flag.Name, usage.ValueProblem(flag.Value.Type(), texts[0], err))
	}
	return nil
}

// checkValue refuses what a flag does not take, where it can tell without being set.
func checkValue(flag *pflag.Flag, texts []string, value config.Value) error {
	checked, can := flag.Value.(interface{ Check(string) error })
	if !can {
		return nil
	}
	for _, text := range texts {
		if err := checked.Check(text); err != nil {
			return value.Origin.Errorf("%s: %s", flag.Name, usage.ValueProblem(flag.Value.Type(), text, err))
		}
	}
	return nil
}

// textsOf returns a value as the flag takes it, with the elements of a list, if it is of the
// flag's type.
func textsOf(flag *pflag.Flag, value config.Value) ([]string, error) {
	wanted := ""
	switch of := value.Any.(type) {
	case bool:
		if flag.Value.Type() == "bool" {
			return []string{strconv.FormatBool(of)}, nil
		}
	case int64:
		if isNumber(flag) || flag.Value.Type() == "float64" {
			return []string{strconv.FormatInt(of, 10)}, nil
		}
	case float64:
		if flag.Value.Type() == "float64" {
			return []string{strconv.FormatFloat(of, 'g', -1, 64)}, nil
		}
	case string:
		if takesText(flag) {
			return []string{pathFrom(value.Origin.File, flag, of)}, nil
		}
	case []any:
		texts := value.Texts()
		if _, isList := flag.Value.(pflag.SliceValue); isList && len(texts) == len(of) {
			for i := range texts {
				texts[i] = pathFrom(value.Origin.File, flag, texts[i])
			}
			return texts, nil
		}
	}
	switch {
	case flag.Value.Type() == "bool":
		wanted = "true or false, without quotes"
	case isNumber(flag):
		wanted = "a whole number, without quotes"
	case flag.Value.Type() == "float64":
		wanted = "a number, without quotes"
	case flag.Value.Type() == "duration":
		wanted = `a length of time in quotes, such as "30s"`
	case flag.Value.Type() == "stringSlice":
		wanted = `a list such as ["a", "b"]`
	default:
		wanted = "text in quotes"
	}
	return nil, value.Origin.Errorf("%s takes %s", flag.Name, wanted)
}

func isNumber(flag *pflag.Flag) bool {
	return slices.Contains([]string{"int", "int64", "uint32", "uint64", "serial"}, flag.Value.Type())
}

func takesText(flag *pflag.Flag) bool {
	return !isNumber(flag) && flag.Value.Type() != "bool" && flag.Value.Type() != "float64"
}

// pathFrom makes a path of a setting one that holds in every folder: a relative one is meant from
// the folder of the file that it stands in, and ~/ is the user's home. What may be something else
// than a path is one where it begins like one.
func pathFrom(file string, flag *pflag.Flag, text string) string {
	slashed := filepath.ToSlash(text)
	if rest, inHome := strings.CutPrefix(slashed, "~/"); inHome {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	kind, _ := pflag.UnquoteUsage(flag)
	isPath := (kind == "file" || kind == "folder") && !strings.Contains(text, "://") || strings.HasPrefix(slashed, "./") || strings.HasPrefix(slashed, "../")
	if text == "" || !isPath || filepath.IsAbs(text) {
		return text
	}
	return filepath.Join(filepath.Dir(file), text)
}

// ConfigFile returns where config.toml is or would be, and whether it is there.
func ConfigFile(cmd *cobra.Command) (path string, exists bool, err error) {
	path, _, err = configPath(cmd)
	if err != nil {
		return "", false, err
	}
	if path, err = filepath.Abs(path); err != nil {
		return "", false, fmt.Errorf("finding %s: %w", path, err)
	}
	_, err = os.Stat(path)
	return path, err == nil, nil
}

// Shown returns the value of a flag for people, with no password in it; empty where it is not set.
func Shown(flag *pflag.Flag) string {
	if list, isList := flag.Value.(pflag.SliceValue); isList {
		var all []string
		for _, text := range list.GetSlice() {
			all = append(all, withoutPassword(text))
		}
		return strings.Join(all, ",")
	}
	return withoutPassword(flag.Value.String())
}

// withoutPassword returns a text that is an address without the password in it.
func withoutPassword(text string) string {
	if strings.Contains(text, "AGE-SECRET-KEY-") {
		return secret.New([]byte(text)).String()
	}
	if !hasPassword(text) {
		return text
	}
	scheme, rest, _ := strings.Cut(text, "://")
	if at := strings.LastIndex(rest, "@"); at >= 0 {
		rest = rest[at+1:]
	}
	rest, _, _ = strings.Cut(rest, "?")
	return scheme + "://" + secret.New([]byte(text)).String() + "@" + rest
}
