package describe

// AdminConsole says where a file of roots goes, in the order in which it is done.
func AdminConsole(relaxed bool) []string {
	return []string{
		"in the Admin console: Apps > Google Workspace > Gmail > User settings > S/MIME, at the top organizational unit, with S/MIME switched on",
		"add the file under \"Accept these additional root certificates for specific domains\", with the " + ProfileName(relaxed) + " validation profile",
	}
}

// ProfileName is what the Admin console calls the profile with which a root is added.
func ProfileName(relaxed bool) string {
	if relaxed {
		return "relaxed"
	}
	return "strict"
}
