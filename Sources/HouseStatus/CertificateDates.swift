import CMSSignatures
import HostProcess
import Monitoring
import Octets
package import SESConfiguration

/// A certificate that the house rests on, and its end.
package struct DatedCertificate: Codable, Sendable, Hashable {
    /// Its part in the house, such as `client certificate`.
    package let use: String
    package let subject: String
    /// The file that it stands in.
    package let file: String
    /// Unix seconds; nil for one that never ends.
    package let notAfter: Int?

    package init(use: String, subject: String, file: String, notAfter: Int?) {
        self.use = use
        self.subject = subject
        self.file = file
        self.notAfter = notAfter
    }

    /// Whole days that are left, rounded down; negative once it has expired.
    func daysLeft(now: Int) -> Int? { notAfter.map { Int((Double($0 - now) / 86_400).rounded(.down)) } }

    /// Days before the end from which a status warns, and from which it is critical.
    static let warningDays = 30
    static let criticalDays = 3

    func reason(now: Int) -> StatusReason? {
        guard let notAfter, let days = daysLeft(now: now), days < Self.warningDays else { return nil }
        let name = "the \(use) \(subject) (\(file))"
        guard notAfter > now else {
            return StatusReason(
                .certificateExpired, .critical, "\(name) expired on \(StatusWords.date(notAfter))",
                remedy: "have it renewed, put it in its place, then: systemctl reload ses")
        }
        return StatusReason(
            .certificateExpires, days < Self.criticalDays ? .critical : .warning,
            "\(name) expires on \(StatusWords.date(notAfter)), in \(days) \(days == 1 ? "day" : "days")",
            remedy: "have it renewed, put it in its place, then: systemctl reload ses")
    }
}

/// The certificates that a configuration names.
package struct CertificateSearch {
    package private(set) var found: [DatedCertificate] = []
    /// Files that could not be read.
    private(set) var reasons: [StatusReason] = []

    package init() {}

    package mutating func add(_ settings: SESSettings) {
        if let pfx = settings.clientPFX {
            read(pfx.path) { (octets) throws(CryptographyError) in
                let key = try PKCS12.load(octets, password: pfx.password.reveal())
                return [key.certificate].map { Self.dated("client certificate", $0, pfx.path) }
            }
        }
        if let store = settings.processing.trustStore { addAnchors(in: store, use: "anchor of the signing server") }
    }

    package mutating func add(_ configuration: RelayConfiguration) {
        var files: [String] = []
        for route in configuration.routes {
            let security: RelayRoute.TransportSecurity? =
                switch route.target {
                case .gateway(let gateway): gateway.security
                case .mailExchangers(let security): security
                case .sendmail: nil
                }
            if let file = security?.authorities, !files.contains(file) { files.append(file) }
        }
        for file in files { addAnchors(in: file, use: "anchor of the next hop") }
    }

    private mutating func addAnchors(in path: String, use: String) {
        read(path) { (octets) throws(CryptographyError) in
            try Certificate.readAll(octets).map { Self.dated(use, $0, path) }
        }
    }

    private mutating func read(
        _ path: String, _ certificates: (OctetString) throws(CryptographyError) -> [DatedCertificate]
    ) {
        switch SmallFile.read(path) {
        case .failure(let error): note(error.description)
        case .success(let octets):
            do throws(CryptographyError) {
                found += try certificates(octets)
            } catch {
                note("\(path): \(error.reason)")
            }
        }
    }

    private mutating func note(_ text: String) {
        reasons.append(StatusReason(.certificateUnreadable, .warning, text, remedy: "ses check"))
    }

    private static func dated(_ use: String, _ certificate: Certificate, _ path: String) -> DatedCertificate {
        DatedCertificate(use: use, subject: certificate.subject, file: path, notAfter: certificate.notAfter)
    }
}
