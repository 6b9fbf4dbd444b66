package describe

// AdminConsole says where a file of roots goes, in the order in which it is done
// (docs/explanation/googles-pages.md says which page of Google's says so).
func AdminConsole(relaxed bool) []string {
	return []string{
		"in the Admin console: Apps > Google Workspace > Gmail > User settings > S/MIME, at the top organizational unit, with S/MIME switched on",
		"beside \"Accept these additional Root Certificates for specific domains\" click Add and Upload Root Certificate, and choose the " + ProfileName(relaxed) + " validation profile",
	}
}

// ProfileName is what the Admin console calls the profile with which a root is added.
func ProfileName(relaxed bool) string {
	if relaxed {
		return "relaxed"
	}
	return "strict"
}
