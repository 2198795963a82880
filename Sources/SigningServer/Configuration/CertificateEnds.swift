import CMSSignatures
import HostProcess
public import Monitoring

extension SigningServerConfiguration {
    /// The certificates and revocation lists that it names, with their ends, for a status.
    /// - Parameter path: Its own, which they are reported under.
    public func certificateEnds(of path: String) -> [DatedCertificate] {
        func dated(_ use: String, _ certificate: Certificate) -> DatedCertificate {
            DatedCertificate(use: use, subject: certificate.subject, file: path, notAfter: certificate.notAfter)
        }
        var all = keys.aliases.compactMap { alias in keys[alias].map { dated("key \"\(alias)\"", $0.key.certificate) } }
        if let tls {
            all.append(dated("TLS certificate", tls.key.certificate))
            all += (tls.clientAuthorities ?? []).map { dated("authority of TLS clients", $0) }
        }
        for profile in verificationProfiles.values.sorted(by: { $0.id < $1.id }) {
            all += profile.policy.anchors.map { dated("trust anchor", $0) }
            all += profile.policy.timestampAnchors.map { dated("trust anchor of timestamps", $0) }
            all += profile.policy.revocationLists.map { list in
                DatedCertificate(use: "revocation list", subject: list.issuer, file: path, notAfter: list.nextUpdate)
            }
        }
        var seen: Set<DatedCertificate> = []
        return all.filter { seen.insert($0).inserted }
    }

    /// The address that it has the server listen on, as a URL.
    public var address: String {
        if let socket = listening.socket { return "http://unix:\(socket.path):/" }
        let host = listening.address.contains(":") ? "[\(listening.address)]" : listening.address
        return (tls == nil ? "http://" : "https://") + "\(host):\(listening.port)/"
    }
}
