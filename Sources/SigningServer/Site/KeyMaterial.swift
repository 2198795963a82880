import CMSSignatures
public import HostProcess
import Monitoring
import Octets

/// The content of a file that somebody wants to add: a key with its certificates, or certificates alone.
public struct KeyMaterial: Sendable {
    /// nil if the file has certificates alone.
    let key: SigningKey?
    let certificates: [Certificate]
    /// A private key in PEM whose certificate is not in the file.
    let bareKey: PrivateKey?

    /// Reads PKCS #12, PEM, or certificates in PEM or DER.
    /// - Parameter password: Asked for once the file turns out to be locked; nil if there is none.
    /// - Throws: ``ProgramError`` if the file cannot be read or opened.
    public init(path: String, password: () throws(ProgramError) -> String?) throws(ProgramError) {
        switch SmallFile.read(path) {
        case .failure(let error): throw ProgramError(.noInput, "\(error)")
        case .success(let octets):
            do throws(CryptographyError) {
                (key, certificates, bareKey) = try Self.read(octets, password: nil)
            } catch {
                guard error.kind == .wrongPassword else {
                    throw ProgramError(.badInput, "\(path): \(error.reason)")
                }
                guard let password = try password() else {
                    throw ProgramError(
                        .usage, "\(path): \(error.reason); name a file with the password: --password-file FILE")
                }
                do throws(CryptographyError) {
                    (key, certificates, bareKey) = try Self.read(octets, password: password)
                } catch {
                    throw ProgramError(.badInput, "\(path): \(error.reason)")
                }
            }
        }
    }

    private typealias Content = (key: SigningKey?, certificates: [Certificate], bareKey: PrivateKey?)

    private static func read(_ octets: OctetString, password: String?) throws(CryptographyError) -> Content {
        if octets.first == 0x30 {
            if let certificate = try? Certificate(der: octets) { return (nil, [certificate], nil) }
            let key = try PKCS12.load(octets, password: password ?? "")
            return (key, [key.certificate] + key.chain, nil)
        }
        guard octets.text.contains("PRIVATE KEY-----") else {
            return (nil, try Certificate.readAll(octets), nil)
        }
        let bare = try PrivateKey(pem: octets, password: password)
        guard octets.text.contains("BEGIN CERTIFICATE") || octets.text.contains("BEGIN TRUSTED CERTIFICATE") else {
            return (nil, [], bare)
        }
        let certificates = try Certificate.readAll(octets)
        return (try SigningKey(bare, certificates: certificates), certificates, nil)
    }
}

/// The judgement of a key before it is taken into a site.
struct KeyExamination {
    /// Reasons not to take it.
    private(set) var faults: [String] = []
    /// Facts that its owner should know.
    private(set) var remarks: [String] = []

    /// - Parameters:
    ///   - uses: The kinds of content that the clients who get it sign.
    ///   - now: Unix seconds.
    init(_ key: SigningKey, alias: String, uses: [CertificateUse], now: Int) {
        let certificate = key.certificate
        if let obstacle = key.obstacle { faults.append(obstacle) }
        let obstacles = (uses.isEmpty ? [.mail, .document] : uses).map { use in
            (use, certificate.signingObstacle(for: use, at: now))
        }
        let reasons = obstacles.compactMap(\.1)
        if reasons.count == obstacles.count, let first = reasons.first {
            faults.append(first.reason)
        } else {
            remarks += obstacles.compactMap { use, obstacle in
                obstacle.map { "it cannot sign \(use == .mail ? "mail" : "documents"): \($0.reason)" }
            }
        }
        if certificate.isAuthority { faults.append("it is the certificate of an authority, which signs no mail") }
        faults += certificate.weaknesses
        faults += SigningServerConfiguration.addressWarnings(alias, key).filter { _ in alias.contains("@") }
        if !alias.contains("@") { remarks += SigningServerConfiguration.addressWarnings(alias, key) }
        if !certificate.isSelfIssued, !key.chain.contains(where: { certificate.isSigned(by: $0) }) {
            remarks.append(
                "the certificate of its issuer (\(certificate.issuer)) is not here; readers who do not have it cannot"
                    + " verify: add it with --chain FILE")
        } else if certificate.isSelfIssued {
            remarks.append("it is signed by itself: readers trust it only if each of them is told to")
        }
        let end = SigningServerConfiguration.end(of: certificate)
        if end.level(now: now) != .ok, let days = end.daysLeft(now: now), days >= 0 {
            remarks.append("its certificate is good for \(days) more days only")
        }
    }
}

extension SigningKey {
    /// The same key with those of `known` that lead from its certificate upwards; a root is left out, because readers
    /// have it or do not trust it.
    func completed(with known: [Certificate]) -> SigningKey {
        var more: [Certificate] = []
        var last = certificate
        while !last.isSelfIssued, more.count < 8,
            let issuer = (chain + known).first(where: { last.isSigned(by: $0) })
        {
            if issuer.isSelfIssued && !chain.contains(issuer) && !more.isEmpty { break }
            more.append(issuer)
            last = issuer
        }
        return adding(more)
    }
}
