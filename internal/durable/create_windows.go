package durable

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Private files and folders have their access control list from their first moment, so that
// nobody can open them before. A file system that keeps none passes it over.

// privateAccess lets this user, the system and its administrators do everything, and
// nobody else anything. Nothing is inherited from the folder above; what is made in
// a folder later inherits it.
func privateAccess(folder bool) (*windows.SECURITY_DESCRIPTOR, error) {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return nil, fmt.Errorf("finding this user: %w", err)
	}
	inherited := ""
	if folder {
		inherited = "OICI"
	}
	return windows.SecurityDescriptorFromString(fmt.Sprintf("D:P(A;%[1]s;FA;;;%[2]s)(A;%[1]s;FA;;;SY)(A;%[1]s;FA;;;BA)", inherited, user.User.Sid))
}

// createNew makes an empty file in root.
func createNew(root *os.Root, base string, mode fs.FileMode) (*os.File, error) {
	if !isOwners(mode) {
		return root.OpenFile(base, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	}
	return createPrivate(root, base, false)
}

// createFolder makes a folder in root.
func createFolder(root *os.Root, base string, mode fs.FileMode) error {
	if !isOwners(mode) {
		return root.Mkdir(base, mode)
	}
	folder, err := createPrivate(root, base, true)
	if err != nil {
		return err
	}
	return folder.Close()
}

// createPrivate makes what root's own methods make, which know of no access control lists.
func createPrivate(root *os.Root, base string, folder bool) (*os.File, error) {
	in, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	defer in.Close()
	access, err := privateAccess(folder)
	if err != nil {
		return nil, err
	}
	name, err := windows.NewNTUnicodeString(base)
	if err != nil {
		return nil, err
	}
	attributes := &windows.OBJECT_ATTRIBUTES{
		RootDirectory: windows.Handle(in.Fd()), ObjectName: name, Attributes: windows.OBJ_CASE_INSENSITIVE, SecurityDescriptor: access,
	}
	attributes.Length = uint32(unsafe.Sizeof(*attributes))
	rights, kind := uint32(windows.FILE_GENERIC_WRITE|windows.FILE_READ_ATTRIBUTES), uint32(windows.FILE_NON_DIRECTORY_FILE)
	if folder {
		rights, kind = windows.FILE_READ_ATTRIBUTES|windows.SYNCHRONIZE, windows.FILE_DIRECTORY_FILE
	}
	var made windows.Handle
	err = windows.NtCreateFile(&made, rights, attributes, &windows.IO_STATUS_BLOCK{}, nil, windows.FILE_ATTRIBUTE_NORMAL,
		windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE, windows.FILE_CREATE,
		kind|windows.FILE_SYNCHRONOUS_IO_NONALERT|windows.FILE_OPEN_REPARSE_POINT, 0, 0)
	path := filepath.Join(root.Name(), base)
	if status, ok := err.(windows.NTStatus); ok {
		return nil, &fs.PathError{Op: "create", Path: path, Err: status.Errno()}
	}
	if err != nil {
		return nil, &fs.PathError{Op: "create", Path: path, Err: err}
	}
	return os.NewFile(uintptr(made), path), nil
}

// createFolderAt makes a folder at path.
func createFolderAt(path string, mode fs.FileMode) error {
	if !isOwners(mode) {
		return os.Mkdir(path, mode)
	}
	name, access, err := privateAt(path, true)
	if err == nil {
		err = windows.CreateDirectory(name, access)
	}
	if err != nil {
		return &fs.PathError{Op: "mkdir", Path: path, Err: err}
	}
	return nil
}

// openOrCreate opens the file at path, and makes a private one where there is none.
func openOrCreate(path string) (*os.File, error) {
	name, access, err := privateAt(path, false)
	handle := windows.InvalidHandle
	if err == nil {
		handle, err = windows.CreateFile(name, windows.GENERIC_READ|windows.GENERIC_WRITE, windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE,
			access, windows.OPEN_ALWAYS, windows.FILE_ATTRIBUTE_NORMAL, 0)
	}
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(handle), path), nil
}

func privateAt(path string, folder bool) (*uint16, *windows.SecurityAttributes, error) {
	access, err := privateAccess(folder)
	if err != nil {
		return nil, nil, err
	}
	name, err := windows.UTF16PtrFromString(path)
	attributes := &windows.SecurityAttributes{SecurityDescriptor: access}
	attributes.Length = uint32(unsafe.Sizeof(*attributes))
	return name, attributes, err
}
