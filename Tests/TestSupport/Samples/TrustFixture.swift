import Foundation

/// A public key infrastructure of OpenSSL's command, with a timestamp authority, an OCSP responder and revocation lists
/// that are served on a loopback port: a root, an issuing authority below it, and a signer for each case.
public final class TrustFixture: Sendable {
    /// A signer for mail and documents; its address is `NAME@example.test`. All share one key.
    public enum Signer: String, Sendable, CaseIterable {
        /// The certificate names an OCSP responder, which knows it.
        case good
        /// The responder says: revoked in 2020 for key compromise.
        case revoked
        /// The responder says: revoked from tomorrow on, superseded.
        case revokedTomorrow
        /// The responder does not know it.
        case unknown
        /// Nobody listens where the responder should be.
        case unreachable
        /// The certificate names a revocation list, which does not name it.
        case listed
        /// The list names it.
        case listedRevoked
        /// Nobody listens where the list should be.
        case listUnreachable
        /// Nobody listens where the responder should be; the list is there and does not name it.
        case fallback
        /// The certificate names no source of revocation data.
        case plain
        /// The same, and was valid in the year 2020.
        case expired
        /// The same, and expires in a day: in 30 days it has expired since.
        case expiring

        public var address: String { "\(rawValue)@example.test" }
        var serial: String { String(0x1000 + (Self.allCases.firstIndex(of: self) ?? 0), radix: 16, uppercase: true) }
    }

    /// A timestamp authority.
    public enum Authority: String, Sendable, CaseIterable {
        /// Its certificate is the root's.
        case tsa
        /// The same, and it expires in a day.
        case brief
        /// Its certificate is nobody's but its own.
        case stranger
        /// It takes SHA-512 alone, and refuses what SES asks.
        case refusing
    }

    private let scratch: ScratchDirectory
    private let running: RunningProgram
    public let port: Int

    /// The trust anchor, PEM.
    public var root: String { scratch.file("root.pem") }
    /// The authority that issued the signers' certificates, PEM.
    public var issuing: String { scratch.file("issuing.pem") }
    /// The present list of the issuing authority, DER.
    public var list: String { scratch.file("issuing.crl") }
    /// PKCS #12 with key, certificate and the issuing authority's.
    public func pfx(_ signer: Signer) -> String { scratch.file("\(signer.rawValue).p12") }
    public static let password = "signer password"
    /// The certificate, PEM.
    public func certificate(_ signer: Signer) -> String { scratch.file("\(signer.rawValue).pem") }
    /// The signers' key, PEM.
    public var key: String { scratch.file("signer.key") }

    /// Returns the address where an authority takes queries by POST.
    public func address(_ authority: Authority) -> String { "http://127.0.0.1:\(port)/tsa/\(authority.rawValue)" }
    public var responderAddress: String { "http://127.0.0.1:\(port)/ocsp" }
    public var listAddress: String { "http://127.0.0.1:\(port)/crl/issuing.crl" }

    /// The requests so far, as `POST /ocsp`.
    public var requests: [String] {
        running.text(.output).split(separator: "\n").compactMap { line in
            line.hasPrefix("request ") ? String(line.dropFirst(8)) : nil
        }
    }

    private static let making = Task { try await TrustFixture() }
    /// One that all tests share; nobody stops it.
    public static var shared: TrustFixture { get async throws { try await making.value } }

    /// One of a test's own, to take down and change.
    public init() async throws {
        scratch = try ScratchDirectory()
        running = try RunningProgram(
            "/usr/bin/python3", [TestMaterial.fixtures + "/python/trust_services.py", scratch.path], asRoot: true)
        let line = try await running.line(containing: "port ")
        guard let number = line.split(separator: " ").last.flatMap({ Int($0) }) else {
            throw HarnessError("no port in: \(line)")
        }
        port = number
        try await makeAuthorities()
        try await makeSigners()
        try await makeLists()
        try await makeTimestampAuthorities()
        // Programs that run without root's privileges read from here.
        try SpoolFixture.own(scratch.path)
        for name in try scratch.names() { try SpoolFixture.own(scratch.file(name)) }
    }

    /// Answers everything with 503 from now on, or no longer.
    public func setDown(_ isDown: Bool) throws {
        if isDown {
            try scratch.write([], to: "down")
        } else {
            try FileManager.default.removeItem(atPath: scratch.file("down"))
        }
    }

    public func stop() async throws { try await running.terminate() }

    // MARK: Evidence

    /// The signer of an answer about revocation.
    public enum Responder: Sendable, CaseIterable {
        /// The one that the issuing authority named for it.
        case delegate
        /// The issuing authority itself.
        case issuer
        /// A signer of the issuing authority, which may sign mail.
        case impostor
        /// One that the issuing authority named for it and does not vouch for: it may have been revoked (RFC 6960
        /// §4.2.2.2.1).
        case unvouched
    }

    /// An OCSP response (DER) about `signer`, made without a server.
    /// - Parameter state: The state that the index gives instead: the fields before the serial number, each with a tab.
    public func response(
        about signer: Signer, by responder: Responder, from state: String? = nil
    ) async throws -> [UInt8] {
        let (certificate, key) =
            switch responder {
            case .delegate: ("ocsp.pem", "ocsp.key")
            case .issuer: ("issuing.pem", "issuing.key")
            case .impostor: ("plain.pem", "signer.key")
            case .unvouched: ("unvouched.pem", "unvouched.key")
            }
        let own = try ScratchDirectory()
        try await openssl([
            "ocsp", "-issuer", issuing, "-cert", self.certificate(signer), "-no_nonce", "-reqout", own.file("request"),
        ])
        var index = scratch.file("index")
        if let state {
            let line = "\(state)\(signer.serial)\tunknown\t/O=Trust tests/CN=\(signer.rawValue)\n"
            index = try own.write(Array(line.utf8), to: "index")
        }
        try await openssl([
            "ocsp", "-index", index, "-CA", issuing, "-rsigner", scratch.file(certificate), "-rkey",
            scratch.file(key), "-nmin", "60", "-reqin", own.file("request"), "-respout", own.file("response"),
        ])
        return try TestMaterial.octets(own.file("response"))
    }

    /// A list of the root (PEM) that says: the timestamp authority's certificate was revoked.
    /// - Parameters:
    ///   - date: As `YYMMDDHHMMSSZ`.
    ///   - reason: As OpenSSL writes it: `keyCompromise`, `superseded`.
    public func rootList(revokingTimestamps date: String, reason: String) async throws -> [UInt8] {
        let own = try ScratchDirectory()
        let line = "R\t400101000000Z\t\(date),\(reason)\t04\tunknown\t/O=Trust tests/CN=Timestamps\n"
        let index = try own.write(Array(line.utf8), to: "index")
        let configuration = try own.write(Array(Self.listConfiguration(index, scratch.file("root")).utf8), to: "cnf")
        try await openssl(["ca", "-config", configuration, "-gencrl", "-out", own.file("list")])
        return try TestMaterial.octets(own.file("list"))
    }

    private static func listConfiguration(_ index: String, _ authority: String) -> String {
        """
        [ca]
        default_ca = own
        [own]
        database = \(index)
        certificate = \(authority).pem
        private_key = \(authority).key
        default_md = sha256
        default_crl_days = 7

        """
    }

    // MARK: Making

    private func openssl(_ arguments: [String]) async throws {
        let run = try await RunningProgram.run("/usr/bin/openssl", arguments, asRoot: true)
        guard run.status == 0 else { throw HarnessError("openssl \(arguments): \(run)") }
    }

    private func makeKey(_ name: String) async throws {
        try await openssl(["genrsa", "-out", scratch.file("\(name).key"), "2048"])
    }

    /// - Parameters:
    ///   - key: The key's owner; nil for a key of its own.
    ///   - issuer: nil: itself.
    private func makeCertificate(
        _ name: String, subject: String, key: String? = nil, issuer: String?, serial: String, days: Int = 3_650,
        _ extensions: [String]
    ) async throws {
        if key == nil { try await makeKey(name) }
        let path = scratch.file
        let file = try scratch.write(Array((extensions.joined(separator: "\n") + "\n").utf8), to: "\(name).ext")
        try await openssl([
            "req", "-new", "-key", path("\(key ?? name).key"), "-subj", "/O=Trust tests/CN=\(subject)", "-out",
            path("\(name).csr"),
        ])
        let signing =
            issuer.map { ["-CA", path("\($0).pem"), "-CAkey", path("\($0).key")] } ?? ["-signkey", path("\(name).key")]
        try await openssl(
            ["x509", "-req", "-sha256", "-in", path("\(name).csr"), "-set_serial", "0x\(serial)"] + signing
                + ["-days", String(days), "-extfile", file, "-out", path("\(name).pem")])
    }

    private func makeAuthorities() async throws {
        let authority = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"]
        let identifiers = ["subjectKeyIdentifier=hash", "authorityKeyIdentifier=keyid"]
        try await makeCertificate(
            "root", subject: "Root", issuer: nil, serial: "01", authority + ["subjectKeyIdentifier=hash"])
        try await makeCertificate(
            "issuing", subject: "Issuing", issuer: "root", serial: "02",
            authority + identifiers + ["crlDistributionPoints=URI:http://127.0.0.1:\(port)/crl/root.crl"])
        try await makeCertificate(
            "ocsp", subject: "Responder", issuer: "issuing", serial: "03",
            identifiers + ["keyUsage=critical,digitalSignature", "extendedKeyUsage=OCSPSigning", "noCheck=ignored"])
        try await makeCertificate(
            "unvouched", subject: "Unvouched responder", issuer: "issuing", serial: "06",
            identifiers + ["keyUsage=critical,digitalSignature", "extendedKeyUsage=OCSPSigning"]
                + ["crlDistributionPoints=URI:\(listAddress)"])
    }

    private func makeSigners() async throws {
        try await makeKey("signer")
        let dead = "http://127.0.0.1:\(try DSSFixture.deadPort())"
        for signer in Signer.allCases {
            var extensions = [
                "basicConstraints=CA:FALSE", "subjectKeyIdentifier=hash", "authorityKeyIdentifier=keyid",
                "keyUsage=critical,digitalSignature,nonRepudiation", "extendedKeyUsage=emailProtection",
                "subjectAltName=email:\(signer.address)",
            ]
            switch signer {
            case .good, .revoked, .revokedTomorrow, .unknown:
                extensions.append("authorityInfoAccess=OCSP;URI:\(responderAddress)")
            case .unreachable: extensions.append("authorityInfoAccess=OCSP;URI:\(dead)/ocsp")
            case .listed, .listedRevoked: extensions.append("crlDistributionPoints=URI:\(listAddress)")
            case .listUnreachable: extensions.append("crlDistributionPoints=URI:\(dead)/issuing.crl")
            case .fallback:
                extensions += [
                    "authorityInfoAccess=OCSP;URI:\(dead)/ocsp", "crlDistributionPoints=URI:\(listAddress)",
                ]
            case .plain, .expired, .expiring: break
            }
            let name = signer.rawValue
            try await makeCertificate(
                name, subject: name, key: "signer", issuer: "issuing", serial: signer.serial,
                days: signer == .expiring ? 1 : 3_650, extensions)
            if signer == .expired { try await makeExpired(extensions) }
            try await openssl([
                "pkcs12", "-export", "-inkey", key, "-in", certificate(signer), "-certfile", issuing, "-name", name,
                "-passout", "pass:\(Self.password)", "-out", pfx(signer),
            ])
        }
    }

    /// Only `openssl ca` gives a certificate a time in the past.
    private func makeExpired(_ extensions: [String]) async throws {
        try scratch.write([], to: "expired.index")
        try scratch.write(Array((Signer.expired.serial + "\n").utf8), to: "expired.serial")
        let configuration = try scratch.write(
            Array(
                """
                [ca]
                default_ca = own
                [own]
                database = \(scratch.file("expired.index"))
                serial = \(scratch.file("expired.serial"))
                new_certs_dir = \(scratch.path)
                certificate = \(issuing)
                private_key = \(scratch.file("issuing.key"))
                default_md = sha256
                policy = any
                [any]
                organizationName = optional
                commonName = supplied

                """.utf8), to: "expired.cnf")
        try await openssl([
            "ca", "-batch", "-notext", "-config", configuration, "-startdate", "20200101000000Z", "-enddate",
            "20210101000000Z", "-extfile", scratch.file("expired.ext"), "-in", scratch.file("expired.csr"), "-out",
            certificate(.expired),
        ])
    }

    private func makeLists() async throws {
        let form = DateFormatter()
        form.locale = Locale(identifier: "en_US_POSIX")
        form.timeZone = TimeZone(secondsFromGMT: 0)
        form.dateFormat = "yyMMddHHmmss'Z'"
        let tomorrow = form.string(from: Date(timeIntervalSinceNow: 86_400))
        let lines = Signer.allCases.filter { $0 != .unknown }.map { signer in
            let revocation =
                switch signer {
                case .revoked, .listedRevoked: "200101000000Z,keyCompromise"
                case .revokedTomorrow: "\(tomorrow),superseded"
                default: ""
                }
            return "\(revocation.isEmpty ? "V" : "R")\t400101000000Z\t\(revocation)\t\(signer.serial)\tunknown\t"
                + "/O=Trust tests/CN=\(signer.rawValue)\n"
        }
        try scratch.write(Array(lines.joined().utf8), to: "index")
        // The responder's command wants to know how the index is to be read.
        try scratch.write(Array("unique_subject = no\n".utf8), to: "index.attr")
        for (name, index) in [("issuing", "index"), ("root", "root.index")] {
            if name == "root" { try scratch.write([], to: index) }
            let configuration = try scratch.write(
                Array(Self.listConfiguration(scratch.file(index), scratch.file(name)).utf8), to: "\(name).cnf")
            try await openssl(["ca", "-config", configuration, "-gencrl", "-out", scratch.file("\(name).crl.pem")])
            try await openssl([
                "crl", "-in", scratch.file("\(name).crl.pem"), "-outform", "DER", "-out", scratch.file("\(name).crl"),
            ])
        }
    }

    private func makeTimestampAuthorities() async throws {
        let extensions = ["keyUsage=critical,digitalSignature", "extendedKeyUsage=critical,timeStamping"]
        let list = "crlDistributionPoints=URI:http://127.0.0.1:\(port)/crl/root.crl"
        try await makeCertificate(
            "tsa", subject: "Timestamps", issuer: "root", serial: "04",
            extensions + ["authorityKeyIdentifier=keyid", list])
        try await makeCertificate(
            "brief", subject: "Brief timestamps", issuer: "root", serial: "07", days: 1,
            extensions + ["authorityKeyIdentifier=keyid"])
        try await makeCertificate("stranger", subject: "Strange timestamps", issuer: nil, serial: "05", extensions)
        for authority in Authority.allCases {
            let name = authority.rawValue
            let signer = authority == .refusing ? "tsa" : name
            try scratch.write(Array("01\n".utf8), to: "\(name).serial")
            try scratch.write(
                Array(
                    """
                    [tsa]
                    serial = \(scratch.file("\(name).serial"))
                    signer_cert = \(scratch.file("\(signer).pem"))
                    signer_key = \(scratch.file("\(signer).key"))
                    signer_digest = sha256
                    default_policy = 1.3.6.1.4.1.32473.1
                    digests = \(authority == .refusing ? "sha512" : "sha256, sha384, sha512")
                    accuracy = secs:1, millisecs:500
                    ordering = yes
                    tsa_name = yes
                    ess_cert_id_chain = no
                    ess_cert_id_alg = sha256

                    """.utf8), to: "\(name).cnf")
        }
    }
}
