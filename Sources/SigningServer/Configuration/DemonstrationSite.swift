import CMSSignatures
import Glibc
import Octets

/// Everything that is needed to try SES out: a CA, keys, and a configuration that grants them to one client.
public enum DemonstrationSite {
    /// The organisation that a site is for.
    public struct Organisation: Sendable {
        /// Its mail domain.
        public let domain: String
        /// The address in the certificate of the key that signs its mail.
        public let address: String

        public init(domain: String, address: String) {
            self.domain = domain
            self.address = address
        }

        /// The client id at the server, and the aliases of the two keys.
        public static let client = "ses"
        public static let mailKey = "seal"
        public static let documentKey = "seal_documents"
    }

    /// The alias, the common name and the address of a key; no address makes it a key for documents.
    private typealias Key = (alias: String, name: String, address: String?)

    /// The keys that the samples of the original name.
    private static let sampleKeys: [Key] = [
        ("samples_test_signing_certificate", "Demo Organisation", "signing@example.test"),
        ("alice_document_signing", "Alice Documents", nil),
        ("alice_email_signing", "Alice", "alice@example.test"),
        ("alice@example.test", "Alice", "alice@example.test"),
        ("bob@example.test", "Bob", "bob@example.test"),
    ]
    private static let sampleClient = "samples_test_client"

    private static func keys(of organisation: Organisation?) -> [Key] {
        guard let organisation else { return sampleKeys }
        // A common name has at most 64 characters (RFC 5280, ub-common-name).
        let name = String(organisation.domain.prefix(64))
        return [(Organisation.mailKey, name, organisation.address), (Organisation.documentKey, name, nil)]
    }

    /// The name of the socket in the directory.
    public static let socket = "socket"

    /// The certificate of the authority, its key, and the password of that: names in the directory.
    static let authority = "ca.pem"
    static let authorityKey = "authority/ca.p12"
    static let authorityPassword = "authority/ca.password"

    /// Makes `directory` with `ca.pem`, `keys/`, `authority/` and `dss.xml`.
    /// - Parameters:
    ///   - organisation: The one that gets a key for its mail and one for its documents; nil for the keys and the
    ///     client of the samples.
    ///   - now: Unix seconds; the certificates are valid for ten years from an hour before.
    /// - Throws: ``SiteError`` when `directory` already has a `dss.xml`, or something cannot be written.
    public static func make(
        in directory: String, for organisation: Organisation? = nil, now: Int
    ) throws(SiteError) {
        let configuration = directory + "/dss.xml"
        guard access(configuration, F_OK) != 0 else {
            throw SiteError(words: "\(configuration) is there already; remove the directory, or choose another")
        }
        try makeDirectory(directory, mode: 0o755)
        try makeDirectory(directory + "/keys", mode: 0o700)
        try makeDirectory(directory + "/authority", mode: 0o700)
        let validity = now - 3_600...now + 10 * 365 * 86_400
        let keys = keys(of: organisation)
        do throws(CryptographyError) {
            let authority = try DemoAuthority(commonName: "SES demonstration CA", validity: validity)
            try write(OctetString(authority.certificate.pem), to: directory + "/" + Self.authority, mode: 0o644)
            let secret = try RandomOctets.make(18).hexadecimal
            let kept = try PKCS12.export(authority.issuer, password: secret, friendlyName: "authority")
            try write(kept, to: directory + "/" + authorityKey, mode: 0o600)
            try write(OctetString(secret + "\n"), to: directory + "/" + authorityPassword, mode: 0o600)
            for (alias, name, address) in keys {
                let use = address.map { DemoAuthority.Use.mail(address: $0) } ?? .document
                let key = try authority.issue(commonName: name, for: use, validity: validity)
                let password = try RandomOctets.make(18).hexadecimal
                let place = directory + "/keys/" + alias
                let file = try PKCS12.export(key, password: password, friendlyName: alias)
                try write(file, to: place + ".p12", mode: 0o600)
                try write(OctetString(password + "\n"), to: place + ".password", mode: 0o600)
            }
            let client = organisation == nil ? sampleClient : Organisation.client
            try write(
                OctetString(text(keys, client: client, isShared: isShared(directory))), to: configuration, mode: 0o644)
        } catch {
            throw SiteError(words: error.reason)
        }
    }

    /// True if what is made in the directory belongs to the directory's group, so that its members are meant to use the
    /// socket.
    private static func isShared(_ directory: String) -> Bool {
        var status = stat()
        return stat(directory, &status) == 0 && status.st_mode & S_ISGID != 0
    }

    /// - Parameter isShared: True lets the group of the directory use the socket.
    private static func text(_ keys: [Key], client: String, isShared: Bool) -> String {
        var lines = [
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
            "<!-- Made by ses-dss init, for trials only. The key of the authority that issued these certificates is in",
            "     authority/. -->",
            "<DSS>",
            "  <!-- Mode 600 is for the user who runs ses-dss alone; where ses is another one: mode=\"660\" group=\"…\".",
            "       In a directory with the set-group-id bit the socket belongs to the directory's group. -->",
            "  <Listen unix=\"\(socket)\"\(isShared ? " mode=\"660\"" : "")/>",
        ]
        for (place, key) in keys.enumerated() {
            let isDefault = place == 0 ? " default=\"true\"" : ""
            lines.append(
                "  <Key alias=\"\(key.alias)\" pfx=\"keys/\(key.alias).p12\" file=\"keys/\(key.alias).password\"\(isDefault)/>"
            )
        }
        let profiles = [
            ("006", "format=\"pdf\" level=\"B\""), ("007", "format=\"smime\" default=\"true\""),
            ("008", "format=\"cms\" level=\"B\""), ("009", "format=\"xml\" level=\"B\""),
            ("010", "format=\"auto\" level=\"B\""),
        ]
        for (number, settings) in profiles {
            lines.append("  <SigningProfile id=\"adss:signing:profile:\(number)\" \(settings)/>")
        }
        lines += [
            "  <!-- SES compares signer and author itself, so that its organisation signers can be configured there. -->",
            "  <VerificationProfile id=\"adss:verification:profile:001\" default=\"true\" signerIdentity=\"report\">",
            "    <Anchor>ca.pem</Anchor>", "  </VerificationProfile>", "  <Client id=\"\(client)\">",
        ]
        lines += profiles.map { "    <Profile ref=\"adss:signing:profile:\($0.0)\"/>" }
        lines.append("    <Profile ref=\"adss:verification:profile:001\"/>")
        lines += keys.map { "    <Key ref=\"\($0.alias)\"/>" }
        lines += ["  </Client>", "</DSS>", ""]
        return lines.joined(separator: "\n")
    }

    private static func makeDirectory(_ path: String, mode: mode_t) throws(SiteError) {
        guard mkdir(path, mode) == 0 || errno == EEXIST else {
            throw SiteError("cannot make \(path)")
        }
    }

    /// Makes a new file; one that is there is not touched.
    private static func write(_ octets: OctetString, to path: String, mode: mode_t) throws(CryptographyError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else {
            throw CryptographyError(.storage, "cannot make \(path): \(String(cString: strerror(errno)))")
        }
        let written = octets.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        let isDurable = written == octets.count && fsync(descriptor) == 0
        let number = errno
        guard close(descriptor) == 0, isDurable else {
            throw CryptographyError(.storage, "cannot write \(path): \(String(cString: strerror(number)))")
        }
    }
}
