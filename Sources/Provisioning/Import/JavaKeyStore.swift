import CMSSignatures
import FoundationEssentials
import Glibc
import HostProcess
import Octets

/// The certificates that a Java key store of the old form (JKS) trusts. They stand in it without encryption.
///
/// The form is that of `sun.security.provider.JavaKeyStore`: magic, version, and entries, of which those of tag 2 are
/// an
/// alias, a date, the word `X.509` and a certificate.
struct JavaKeyStore {
    /// The aliases and certificates, in the order of the file.
    let trusted: [(alias: String, certificate: Certificate)]
    /// The number of entries with private keys, which are left.
    let keys: Int

    /// - Throws: ``JavaKeyStoreError`` if it is of another form, or damaged.
    init(_ octets: OctetString) throws(JavaKeyStoreError) {
        var reader = JavaReader(octets.array)
        guard try reader.number(4) == 0xFEED_FEED else { throw JavaKeyStoreError(isOtherForm: true, "it is no JKS") }
        let version = try reader.number(4)
        guard version == 1 || version == 2 else {
            throw JavaKeyStoreError(isOtherForm: true, "its version is \(version)")
        }
        var trusted: [(String, Certificate)] = []
        var keys = 0
        for _ in 0..<(try reader.number(4)) {
            let tag = try reader.number(4)
            let alias = try reader.text()
            _ = try reader.octets(8)
            switch tag {
            case 1:
                keys += 1
                _ = try reader.octets(try reader.number(4))
                for _ in 0..<(try reader.number(4)) { _ = try reader.certificate(version) }
            case 2:
                let der = try reader.certificate(version)
                do throws(CryptographyError) {
                    trusted.append((alias, try Certificate(der: OctetString(der))))
                } catch {
                    throw JavaKeyStoreError(isOtherForm: false, "the certificate \(alias): \(error.reason)")
                }
            default: throw JavaKeyStoreError(isOtherForm: false, "an entry has the unknown tag \(tag)")
            }
        }
        self.trusted = trusted
        self.keys = keys
    }
}

/// The reason why a key store was not read.
struct JavaKeyStoreError: Error {
    /// True if another program may read it.
    let isOtherForm: Bool
    let text: String

    init(isOtherForm: Bool, _ text: String) {
        self.isOtherForm = isOtherForm
        self.text = text
    }
}

/// Numbers and texts as Java's `DataOutputStream` writes them.
private struct JavaReader {
    private let all: [UInt8]
    private var position = 0

    init(_ octets: [UInt8]) { all = octets }

    mutating func octets(_ count: Int) throws(JavaKeyStoreError) -> [UInt8] {
        guard count >= 0, count <= all.count - position else {
            throw JavaKeyStoreError(isOtherForm: false, "it ends in the middle of an entry")
        }
        defer { position += count }
        return Array(all[position..<(position + count)])
    }

    mutating func number(_ size: Int) throws(JavaKeyStoreError) -> Int {
        try octets(size).reduce(0) { $0 << 8 | Int($1) }
    }

    mutating func text() throws(JavaKeyStoreError) -> String {
        String(decoding: try octets(try number(2)), as: UTF8.self)
    }

    mutating func certificate(_ version: Int) throws(JavaKeyStoreError) -> [UInt8] {
        if version == 2 { _ = try text() }
        return try octets(try number(4))
    }
}

/// Reads the authorities of a Java key store of any form, as PEM.
enum TrustConversion {
    /// - Returns: The certificates in PEM and their number, or what a person has to do.
    static func pem(of path: String) -> Result<(text: String, count: Int), ProgramError> {
        let octets: OctetString
        switch SmallFile.read(path) {
        case .success(let read): octets = read
        case .failure(let error): return .failure(ProgramError(.noInput, "\(error)"))
        }
        do throws(JavaKeyStoreError) {
            let store = try JavaKeyStore(octets)
            guard !store.trusted.isEmpty else {
                return .failure(ProgramError(.badInput, "it holds no trusted certificate"))
            }
            let text = store.trusted.map { "# \($0.alias): \($0.certificate.subject)\n" + $0.certificate.pem }.joined()
            return .success((text, store.trusted.count))
        } catch {
            guard error.isOtherForm else { return .failure(ProgramError(.badInput, error.text)) }
            return byKeytool(path)
        }
    }

    /// The password that Java gives the store unless somebody chose another.
    private static let password = "changeit"

    private static func byKeytool(_ path: String) -> Result<(text: String, count: Int), ProgramError> {
        let command = "keytool -list -rfc -keystore \(path) -storepass \(password)"
        let advice =
            "on a machine with Java: \(command) > server-ca.pem (another password if it was changed), then"
            + " <TrustStore>/etc/ses/server-ca.pem</TrustStore> in <Processing> of ses.xml"
        do throws(ProgramError) {
            let listed = try SiblingProgram("keytool").run([
                "-list", "-rfc", "-keystore", path, "-storepass", password,
            ])
            let text = listed.output.matches(of: /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/).map {
                String($0.output) + "\n"
            }
            guard listed.status == 0, !text.isEmpty else {
                return .failure(ProgramError(.unavailable, "keytool says \(listed.words); \(advice)"))
            }
            return .success((text.joined(), text.count))
        } catch {
            return .failure(ProgramError(.unavailable, "keytool is not on this machine; \(advice)"))
        }
    }
}
