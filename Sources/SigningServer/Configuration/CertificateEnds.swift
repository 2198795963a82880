import CMSSignatures
import HostProcess
public import Monitoring

extension SigningServerConfiguration {
    /// Something that ends, and the step that renews it.
    private struct End {
        let certificate: DatedCertificate
        let remedy: String
    }

    /// The certificates and revocation lists that it names, with their ends, for a status. Those of the system's bundle
    /// are left out: updates of the system renew them.
    /// - Parameter path: Its own, which they are reported under.
    public func certificateEnds(of path: String) -> [DatedCertificate] {
        var seen: Set<DatedCertificate> = []
        return ends(of: path).map(\.certificate).filter { seen.insert($0).inserted }
    }

    /// The ends that are near or past, the most urgent first, each with the command or the step that mends it.
    /// - Parameter now: Unix seconds.
    public func expiryReasons(now: Int) -> [StatusReason] {
        var seen: Set<DatedCertificate> = []
        return ends(of: path).filter { seen.insert($0.certificate).inserted }
            .sorted { ($0.certificate.notAfter ?? .max) < ($1.certificate.notAfter ?? .max) }
            .compactMap { $0.certificate.reason(now: now, remedy: $0.remedy) }
    }

    private func ends(of path: String) -> [End] {
        func end(_ use: String, _ certificate: Certificate, _ remedy: String) -> End {
            End(
                certificate: DatedCertificate(
                    use: use, subject: certificate.subject, file: path, notAfter: certificate.notAfter,
                    notBefore: certificate.notBefore), remedy: remedy)
        }
        let then = "then: systemctl reload ses-dss"
        var all = keys.aliases.compactMap { alias in
            keys[alias].map { key in
                end(
                    "key \"\(alias)\"", key.key.certificate,
                    key.kind == .token
                        ? "put a new certificate into the token, or the file of certificate=, \(then)"
                        : "ses-dss key renew \(key.alias)")
            }
        }
        if let tls {
            all.append(end("TLS certificate", tls.key.certificate, "put a new one in its place, \(then)"))
            all += (tls.clientAuthorities ?? []).map {
                end("authority of TLS clients", $0, "put a new one into the file of clientCA=, \(then)")
            }
        }
        for entry in trust where entry.path != SystemTrust.bundle {
            all += entry.certificates.map { certificate in
                let mark = certificate.fingerprint.prefix(11)
                return end(
                    entry.role.words, certificate,
                    "ses-dss trust add with a new one, or ses-dss trust remove \(mark)")
            }
            all += entry.lists.map { list in
                End(
                    certificate: DatedCertificate(
                        use: entry.role.words, subject: list.issuer, file: path, notAfter: list.nextUpdate,
                        notBefore: list.thisUpdate),
                    remedy: entry.path == TrialAuthority.list
                        ? "ses-dss key crl" : "fetch the present list from its authority, \(then)")
            }
        }
        return all
    }

    static func end(of certificate: Certificate) -> DatedCertificate {
        DatedCertificate(
            use: "", subject: certificate.subject, file: "", notAfter: certificate.notAfter,
            notBefore: certificate.notBefore)
    }

    static func end(of list: RevocationList) -> DatedCertificate {
        DatedCertificate(
            use: "", subject: list.issuer, file: "", notAfter: list.nextUpdate, notBefore: list.thisUpdate)
    }

    /// The address that it has the server listen on, as a URL.
    public var address: String { DSSConfigurationReading.url(listening, isSecure: tls != nil) }
}
