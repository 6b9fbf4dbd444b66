package durable

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"
)

// trusted are those who can do everything on a machine, and the owner of a file.
var trusted = []windows.WELL_KNOWN_SID_TYPE{
	windows.WinLocalSystemSid, windows.WinBuiltinAdministratorsSid, windows.WinAccountDomainAdminsSid, windows.WinAccountEnterpriseAdminsSid, windows.WinCreatorOwnerRightsSid,
}

// everybody are those who are no group that somebody chose.
var everybody = []windows.WELL_KNOWN_SID_TYPE{
	windows.WinWorldSid, windows.WinAuthenticatedUserSid, windows.WinBuiltinUsersSid, windows.WinBuiltinGuestsSid, windows.WinInteractiveSid, windows.WinNetworkSid,
	windows.WinAnonymousSid, windows.WinAccountDomainUsersSid, windows.WinAccountDomainGuestsSid,
}

// trustedInstaller is the service that owns the system's files.
const trustedInstaller = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"

// What the rights of a file are worth: to read it, to change it, and to replace what
// is in a folder.
const (
	readRights    = windows.FILE_READ_DATA | windows.GENERIC_READ | windows.GENERIC_ALL
	replaceRights = windows.DELETE | fileDeleteChild | windows.WRITE_DAC | windows.WRITE_OWNER | windows.GENERIC_ALL
	writeRights   = replaceRights | windows.FILE_WRITE_DATA | windows.FILE_APPEND_DATA | windows.GENERIC_WRITE

	fileDeleteChild = 0x40 // FILE_DELETE_CHILD of winnt.h
)

// readers tells which others can read a file, by its access control list.
func readers(path string, _ fs.FileInfo) others { return withRights(path, readRights, "F") }

// writers tells which others can change a file or a folder's names or, of a folder
// above, replace what is in it.
func writers(path string, info fs.FileInfo, above bool) others {
	rights := uint32(writeRights)
	if above {
		rights = replaceRights
	}
	full := "F"
	if info.IsDir() {
		full = "(OI)(CI)F"
	}
	return withRights(path, rights, full)
}

// withRights tells which others are given one of the rights. What a list denies is not
// taken into account: it may be said of a file that is safe, and never the other way.
func withRights(path string, rights uint32, full string) others {
	descriptor, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION|windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return others{}
	}
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return others{}
	}
	found := others{}
	var who, remove []string
	add := func(sid *windows.SID) {
		who, remove = append(who, accountName(sid)), append(remove, " /remove:g *"+sid.String())
		found.everyone = found.everyone || isOne(sid, everybody)
	}
	list, _, err := descriptor.DACL()
	if err != nil || list == nil { // no list lets everybody do everything
		if everyone, err := windows.CreateWellKnownSid(windows.WinWorldSid); err == nil {
			add(everyone)
		}
	} else {
		owner, _, _ := descriptor.Owner()
		for i := range uint32(list.AceCount) {
			var entry *windows.ACCESS_ALLOWED_ACE
			if windows.GetAce(list, i, &entry) != nil || entry.Header.AceType != windows.ACCESS_ALLOWED_ACE_TYPE ||
				entry.Header.AceFlags&windows.INHERIT_ONLY_ACE != 0 || uint32(entry.Mask)&rights == 0 {
				continue
			}
			sid := (*windows.SID)(unsafe.Pointer(&entry.SidStart))
			if !sid.Equals(user.User.Sid) && !(owner != nil && sid.Equals(owner)) && !isTrusted(sid) {
				add(sid)
			}
		}
	}
	found.who = strings.Join(who, ", ")
	found.remedy = fmt.Sprintf(`icacls "%s" /inheritance:r /grant:r "%s:%s"%s`, path, accountName(user.User.Sid), full, strings.Join(remove, ""))
	return found
}

// ownedSafely reports whether a file belongs to this user or to the system and its
// administrators.
func ownedSafely(path string, _ fs.FileInfo) bool {
	descriptor, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return true
	}
	owner, _, err := descriptor.Owner()
	if err != nil || owner == nil {
		return true
	}
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	return err != nil || owner.Equals(user.User.Sid) || isTrusted(owner)
}

func isTrusted(sid *windows.SID) bool { return isOne(sid, trusted) || sid.String() == trustedInstaller }

func isOne(sid *windows.SID, of []windows.WELL_KNOWN_SID_TYPE) bool {
	for _, kind := range of {
		if sid.IsWellKnown(kind) {
			return true
		}
	}
	return false
}

// accountName is how Windows calls a user or group; of one that it does not know, the number.
func accountName(sid *windows.SID) string {
	account, domain, _, err := sid.LookupAccount("")
	switch {
	case err != nil:
		return sid.String()
	case domain == "":
		return account
	}
	return domain + `\` + account
}

// isPrivate reports whether a private file is one: whether the file system keeps
// access control lists. FAT, on most sticks, does not.
func isPrivate(file *os.File) (bool, error) {
	name, err := windows.UTF16PtrFromString(file.Name())
	if err != nil {
		return false, err
	}
	volume := make([]uint16, windows.MAX_PATH+1)
	if err := windows.GetVolumePathName(name, &volume[0], uint32(len(volume))); err != nil {
		return false, &fs.PathError{Op: "find the volume of", Path: file.Name(), Err: err}
	}
	var flags uint32
	if err := windows.GetVolumeInformation(&volume[0], nil, 0, nil, nil, &flags, nil, 0); err != nil {
		return false, &fs.PathError{Op: "ask the volume of", Path: file.Name(), Err: err}
	}
	return flags&windows.FILE_PERSISTENT_ACLS != 0, nil
}
