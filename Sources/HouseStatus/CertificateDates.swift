import CMSSignatures
import HostProcess
package import Monitoring
import Octets
package import SESConfiguration

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
