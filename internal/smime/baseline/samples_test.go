package baseline_test

import (
	"bytes"
	"crypto/x509"
	"encoding/csv"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/certificate/certtest"
	"github.com/cse-piv/cse-piv/internal/smime"
	"github.com/cse-piv/cse-piv/internal/smime/baseline"
)

// samples is where certificates lie with what another program, pkilint, finds in them.
const samples = "../../../../shared/samples/lint"

// ours says which of our rules finds what pkilint has a code for.
func ours() map[string][]string {
	return map[string][]string{
		"adbe.invalid_timestamp_location_type":                                       {"smbr-encoding"},
		"cabf.organization_identifier_reference_missing_for_scheme":                  {"smbr-organization-form"},
		"cabf.smime.prohibited_organization_identifier_reference_present_for_scheme": {"smbr-organization-form"},
		"googl.gmail.authority_info_access_ca_issuers_missing":                       {"smbr-aia-issuers"},
		"pkix.rfc5280_certificate_policies_invalid_explicit_text_encoding":           {"smbr-user-notice"},
		"cabf.aia_ca_issuers_has_no_http_uri":                                        {"smbr-aia-http"},
		"cabf.aia_ca_issuers_missing":                                                {"smbr-aia-issuers"},
		"cabf.aia_extension_missing":                                                 {"smbr-aia-missing"},
		"cabf.aia_ocsp_has_no_http_uri":                                              {"smbr-aia-http"},
		"cabf.authority_key_identifier_has_issuer_cert":                              {"smbr-aki-issuer"},
		"cabf.crldp_extension_missing":                                               {"smbr-crl-missing"},
		"cabf.insignificant_attribute_value_present":                                 {"smbr-attribute-insignificant"},
		"cabf.internal_domain_name":                                                  {"smbr-internal-domain"},
		"cabf.invalid_country_code":                                                  {"smbr-country"},
		"cabf.invalid_organization_identifier_country":                               {"smbr-organization-country"},
		"cabf.invalid_organization_identifier_registration_scheme":                   {"smbr-organization-scheme"},
		"cabf.invalid_subject_organization_identifier_encoding":                      {"smbr-organization-encoding"},
		"cabf.invalid_subject_organization_identifier_format":                        {"smbr-organization-form"},
		"cabf.invalid_subject_organization_identifier_state_province_for_scheme":     {"smbr-organization-state"},
		"cabf.invalid_subject_organization_identifier_state_province_format":         {"smbr-organization-form"},
		"cabf.name.attribute_value_contains_html_entity":                             {"smbr-attribute-entity"},
		"cabf.no_http_crldp_uri":                                                     {"smbr-crl-http"},
		"cabf.rdn_contains_multiple_atvs":                                            {"smbr-rdn"},
		"cabf.smime.adobe_archive_revinfo_extension_critical":                        {"smbr-adobe-critical"},
		"cabf.smime.adobe_archive_revinfo_extension_prohibited":                      {"smbr-adobe"},
		"cabf.smime.adobe_timestamp_extension_critical":                              {"smbr-adobe-critical"},
		"cabf.smime.adobe_timestamp_extension_prohibited":                            {"smbr-adobe"},
		"cabf.smime.aia_prohibited_uri_scheme":                                       {"smbr-aia-scheme"},
		"cabf.smime.anypolicy_present":                                               {"smbr-any-policy"},
		"cabf.smime.certificate_policies_extension_missing":                          {"smbr-policies-missing"},
		"cabf.smime.certificate_validity_period_at_maximum":                          {"smbr-validity-maximum"},
		"cabf.smime.certificate_validity_period_exceeds_1185_days":                   {"smbr-validity"},
		"cabf.smime.certificate_validity_period_exceeds_825_days":                    {"smbr-validity"},
		"cabf.smime.common_name_value_unknown_source":                                {"smbr-common-name"},
		"cabf.smime.cps_uri_is_not_http":                                             {"smbr-cps"},
		"cabf.smime.crldp_extension_missing":                                         {"smbr-crl-missing"},
		"cabf.smime.crldp_fullname_prohibited_uri_scheme":                            {"smbr-crl-scheme"},
		"cabf.smime.email_address_in_attribute_not_in_san":                           {"smbr-attribute-email"},
		"cabf.smime.emailprotection_eku_missing":                                     {"smbr-extended-key-usage-mail"},
		"cabf.smime.extended_key_usage_extension_missing":                            {"smbr-extended-key-usage-missing"},
		"cabf.smime.german_ntr_registration_reference_not_euid":                      {"smbr-organization-german"},
		"cabf.smime.invalid_lei_scheme_format":                                       {"smbr-lei-form"},
		"cabf.smime.key_usage_extension_missing":                                     {"smbr-key-usage-missing"},
		"cabf.smime.ku_extension_not_critical":                                       {"smbr-key-usage-critical"},
		"cabf.smime.legacy_generation_certificate_issued_after_prohibition":          {"smbr-legacy"},
		"cabf.smime.lei_extension_critical":                                          {"smbr-lei-critical"},
		"cabf.smime.lei_extension_prohibited":                                        {"smbr-lei-prohibited"},
		"cabf.smime.lei_role_extension_critical":                                     {"smbr-lei-critical"},
		"cabf.smime.lei_role_extension_prohibited":                                   {"smbr-lei-prohibited"},
		"cabf.smime.missing_required_attribute":                                      {"smbr-attribute-missing"},
		"cabf.smime.mixed_name_and_pseudonym_attributes":                             {"smbr-pseudonym"},
		"cabf.smime.multiple_reserved_policy_oids":                                   {"smbr-policy-several"},
		"cabf.smime.no_required_reserved_policy_oid":                                 {"smbr-policy"},
		"cabf.smime.org_identifier_and_country_name_attribute_inconsistent":          {"smbr-organization-country-name"},
		"cabf.smime.prohibited_attribute":                                            {"smbr-attribute-prohibited"},
		"cabf.smime.prohibited_eku_present":                                          {"smbr-extended-key-usage-prohibited"},
		"cabf.smime.prohibited_generalname_type_present":                             {"smbr-san-type"},
		"cabf.smime.prohibited_ku_present":                                           {"smbr-key-usage-prohibited"},
		"cabf.smime.prohibited_othername_type_present":                               {"smbr-san-other-name"},
		"cabf.smime.prohibited_signature_algorithm_encoding":                         {"smbr-signature-algorithm"},
		"cabf.smime.prohibited_spki_algorithm_encoding":                              {"smbr-key-algorithm"},
		"cabf.smime.qc_statements_extension_critical":                                {"smbr-qc-critical"},
		"cabf.smime.required_attribute_missing_for_dependent_attribute":              {"smbr-attribute-dependency"},
		"cabf.smime.san_does_not_contain_email_address":                              {"smbr-san-mailbox"},
		"cabf.smime.san_extension_missing":                                           {"smbr-san-missing"},
		"cabf.smime.subject_directory_attributes_extension_prohibited":               {"smbr-directory-attributes"},
		"cabf.smime.unknown_certificate_key_usage_type":                              {"smbr-key-usage-kind"},
		"cabf.smime.unsupported_public_key_type":                                     {"smbr-key-usage-key"},
		"iso.lei.invalid_lei_checksum":                                               {"smbr-lei-check-digits"},
		"iso.lei.invalid_lei_format":                                                 {"smbr-lei-form"},
		"itu.invalid_asn1_syntax":                                                    {"smbr-encoding"},
		"msft.invalid_user_principal_name_syntax":                                    {"smbr-upn"},
		"pkix.authority_key_identifier_extension_absent":                             {"smbr-aki"},
		"pkix.certificate_policies_policy_has_qualifier":                             {"smbr-policy-qualifier"},
		"pkix.certificate_skid_end_entity_missing":                                   {"smbr-ski"},
		"pkix.invalid_email_address_syntax":                                          {"smbr-mailbox"},
		"pkix.invalid_uri_syntax":                                                    {"smbr-uri"},
		"pkix.key_usage_value_prohibited_for_ec":                                     {"smbr-key-usage-algorithm"},
		"pkix.key_usage_value_prohibited_for_edwards_curve":                          {"smbr-key-usage-algorithm"},
		"pkix.key_usage_value_prohibited_for_mldsa":                                  {"smbr-key-usage-algorithm"},
		"pkix.key_usage_value_prohibited_for_mlkem":                                  {"smbr-key-usage-algorithm"},
		"pkix.key_usage_value_prohibited_for_rsa":                                    {"smbr-key-usage-algorithm"},
		"pkix.key_usage_value_prohibited_for_signature_algorithm":                    {"smbr-key-usage-algorithm"},
		"pkix.rfc822name_domain_part_too_long":                                       {"smbr-domain-length"},
		"pkix.smtp_utf8_mailbox_domain_part_invalid_syntax":                          {"smbr-utf8-mailbox-domain"},
		"pkix.smtp_utf8_mailbox_has_bom":                                             {"smbr-utf8-mailbox"},
		"pkix.smtp_utf8_mailbox_has_uppercase":                                       {"smbr-utf8-mailbox-domain"},
		"pkix.smtp_utf8_mailbox_invalid_syntax":                                      {"smbr-utf8-mailbox"},
		"pkix.smtp_utf8_mailbox_is_ascii_only":                                       {"smbr-utf8-mailbox-ascii"},
		"pkix.smtputf8mailbox_domain_part_too_long":                                  {"smbr-domain-length"},
		"pkix.subject_email_address_not_in_san":                                      {"smbr-subject-email"},
		"pkix.unknown_subject_key_identifier_calculation_method":                     {"smbr-ski-method"},
	}
}

// profileOf is the profile that pkilint was told: smime_br__TYPE__GENERATION__WHAT.
func profileOf(file string) baseline.Profile {
	parts := strings.Split(filepath.Base(file), "__")
	return baseline.Profile{
		Validation: baseline.Validation(1 + slices.Index([]string{"mailbox", "organization", "sponsored", "individual"}, parts[1])),
		Generation: baseline.Generation(1 + slices.Index([]string{"legacy", "multipurpose", "strict"}, parts[2])),
	}
}

// TestSamples: of what pkilint finds in its own samples, that many are found here, and
// nothing else is. What it says of how a subject key identifier was made is no finding.
func TestSamples(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(samples, "*.crttest"))
	if len(files) == 0 {
		t.Skip("NOT TESTED: there are no samples in " + samples)
	}
	expected, found := 0, 0
	verdicts := certtest.NewVerdicts("Certificates of pkilint", "What pkilint expects to be found in its own samples by the CA/Browser Forum's baseline, and which of our rules finds it; where a cell is empty nobody finds anything.",
		"certificate", "pkilint", "ours")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		block, rest := pem.Decode(data)
		if block == nil {
			t.Fatal(file)
		}
		reader := csv.NewReader(bytes.NewReader(rest))
		reader.FieldsPerRecord = -1
		lines, err := reader.ReadAll()
		if err != nil {
			t.Fatal(file, err)
		}
		var got []string
		cert, err := x509.ParseCertificate(block.Bytes)
		findings := []smime.Finding(nil)
		if err != nil {
			findings = baseline.CheckMalformed(&certificate.MalformedError{DER: block.Bytes, Err: err})
		} else {
			findings = baseline.Check(cert, profileOf(file))
		}
		for _, f := range findings {
			got = append(got, f.ID)
		}
		var missed, codes []string
		sum := slices.Clone(got)
		for _, line := range lines[1:] {
			if line[2] == "INFO" {
				continue
			}
			expected++
			codes = append(codes, line[3])
			i := slices.IndexFunc(got, func(id string) bool { return slices.Contains(ours()[line[3]], id) })
			if i < 0 {
				missed = append(missed, fmt.Sprint(line[3], " ", line[len(line)-1]))
				continue
			}
			found++
			got = slices.Delete(got, i, i+1)
		}
		verdicts.Row(strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "smime_br__"), ".crttest"), strings.Join(codes, ", "), strings.Join(sum, ", "))
		for _, miss := range missed {
			t.Logf("%s: missed %s", filepath.Base(file), miss)
		}
		if len(got) > 0 {
			t.Errorf("%s: false findings %q", filepath.Base(file), got)
		}
	}
	verdicts.Write(t, "5-lint")
	t.Logf("found %d of %d", found, expected)
	if len(files) == 49 && (found != expected) {
		t.Errorf("found %d of %d, want all", found, expected)
	}
}
