import CMSSignatures
import Foundation
import Octets
import TestSupport
import Testing

/// The trust of signatures when others are asked: real responders, lists and timestamp authorities.
@Suite("Revocation and timestamps at the embedded server")
struct ServerTrustTests {
    private static let content = Array("The terms.\n".utf8)

    /// A server that signs with the fixture's keys and asks its services.
    /// - Parameter time: VerificationTime.
    private func server(
        _ trust: TrustFixture, signer: TrustFixture.Signer, level: String = "B",
        authority: TrustFixture.Authority = .tsa,
        time: String? = nil, revocation: String = "present"
    ) async throws -> RunningServer {
        let tsa = level == "B" ? "" : " tsa=\"\(trust.address(authority))\""
        let verificationTime = time.map { "<VerificationTime>\($0)</VerificationTime>" } ?? ""
        let added = ["cms", "xml", "pdf"].map { format in
            level == "LT"
                ? "<SigningProfile id=\"trust-\(format)\" format=\"auto\" level=\"LT\"\(tsa) validation=\"trust\"/>"
                : "<SigningProfile id=\"trust-\(format)\" format=\"\(format)\" level=\"\(level)\"\(tsa)/>"
        }
        return try await RunningServer { text in
            text.replacingOccurrences(
                of: "  <Client id=",
                with: """
                      <Key alias="signer" pfx="\(trust.pfx(signer))" password="\(TrustFixture.password)"/>
                      \(added.joined())
                      <VerificationProfile id="trust" default="true" revocation="\(revocation)"><Anchor>\(trust.root)</Anchor>
                      <Intermediate>\(trust.issuing)</Intermediate>\(verificationTime)</VerificationProfile>
                      <Client id="trust"><Profile ref="trust"/><Profile ref="trust-cms"/><Profile ref="trust-xml"/>
                      <Profile ref="trust-pdf"/><Key ref="signer"/></Client>
                      <Client id=
                    """
            )
            .replacingOccurrences(
                of: "id=\"adss:verification:profile:001\" default=\"true\"",
                with: "id=\"adss:verification:profile:001\"")
        }
    }

    private func cms(_ server: RunningServer) async throws -> String {
        let answer = try await server.sign(Self.content, profile: "trust-cms", alias: "signer", client: "trust")
        return try #require(answer.text(of: "Base64Signature"), "\(answer)")
    }

    @Test(
        "OCSP and lists are asked, and their statements decide",
        arguments: [
            (TrustFixture.Signer.good, "OnAllDocuments"), (.revoked, "IncorrectSignature"),
            (.unknown, ""),
            (.unreachable, "OcspNotAvailiable"), (.listed, "OnAllDocuments"), (.listedRevoked, "IncorrectSignature"),
            (.listUnreachable, "CrlNotAvailiable"), (.fallback, "OnAllDocuments"), (.plain, "OnAllDocuments"),
            (.expired, "IncorrectSignature"),
        ])
    func revocation(_ signer: TrustFixture.Signer, _ minor: String) async throws {
        let trust = try await TrustFixture.shared
        let server = try await server(trust, signer: signer)
        let signature = signer == .expired ? try Self.signedAnyway(trust, by: signer) : try await cms(server)
        let answer = try await server.verify(Self.content, signature: signature, client: "trust")
        if minor.isEmpty {
            // The responder answered; what it does not know, it will not know in five minutes either.
            #expect(answer.text(of: "ResultMajor")?.hasSuffix("InsufficientInformation") == true, "\(answer)")
            #expect(answer.text(of: "ResultMinor") == nil)
        } else {
            #expect(answer.text(of: "ResultMinor")?.hasSuffix(minor) == true, "\(answer)")
        }
    }

    /// A signature that the server would refuse to make, in base64.
    private static func signedAnyway(_ trust: TrustFixture, by signer: TrustFixture.Signer) throws -> String {
        let file = OctetString(try TestMaterial.octets(trust.pfx(signer)))
        let key = try PKCS12.load(file, password: TrustFixture.password)
        let now = Int(Date().timeIntervalSince1970)
        return Base64.encode(try CMSSigner(key: key).sign(detached: OctetString(content), signingTime: now))
    }

    @Test("an answer is remembered until it expires")
    func cached() async throws {
        let trust = try await TrustFixture()
        let server = try await server(trust, signer: .good)
        let signature = try await cms(server)
        for _ in 0..<3 {
            let answer = try await server.verify(Self.content, signature: signature, client: "trust")
            #expect(answer.text(of: "ResultMinor")?.hasSuffix("OnAllDocuments") == true, "\(answer)")
        }
        #expect(trust.requests.filter { $0.contains("/ocsp") }.count == 1, "\(trust.requests)")
        try await trust.stop()
    }

    @Test("a signature outlives its certificate with a timestamp, and not without", arguments: ["cms", "xml", "pdf"])
    func outlives(_ format: String) async throws {
        let trust = try await TrustFixture.shared
        let later = ISO8601DateFormatter().string(from: Date().addingTimeInterval(30 * 86_400))
        let document =
            switch format {
            case "xml": Array("<invoice/>".utf8)
            case "pdf": PDFSamples.plain()
            default: Self.content
            }
        for (level, minor) in [("T", "OnAllDocuments"), ("B", "")] {
            let server = try await server(trust, signer: .expiring, level: level, time: later, revocation: "none")
            let signed = try await server.sign(document, profile: "trust-" + format, alias: "signer", client: "trust")
            let answer: RunningServer.Answer
            if format == "cms" {
                let signature = try #require(signed.text(of: "Base64Signature"), "\(signed)")
                answer = try await server.verify(document, signature: signature, client: "trust")
            } else {
                let octets = try Base64.decode(try #require(signed.text(of: "Base64Data"), "\(signed)"))
                answer = try await server.verify(octets, client: "trust")
            }
            if level == "T" {
                #expect(answer.text(of: "ResultMinor")?.hasSuffix(minor) == true, "\(answer)")
                #expect(answer.text(of: "ProvenTime") != nil)
            } else {
                // Nothing proves the claimed time.
                #expect(answer.text(of: "ResultMajor")?.hasSuffix("InsufficientInformation") == true, "\(answer)")
            }
        }
    }

    @Test("without its timestamp nothing is signed at level T, and another try may succeed")
    func noTimestamp() async throws {
        let trust = try await TrustFixture.shared
        let server = try await server(trust, signer: .plain, level: "T", authority: .refusing)
        let answer = try await server.sign(Self.content, profile: "trust-cms", alias: "signer", client: "trust")
        #expect(answer.text(of: "ResultMajor")?.hasSuffix("ResponderError") == true, "\(answer)")
        #expect(answer.text(of: "Base64Signature") == nil)
        #expect(answer.text(of: "ResultMessage")?.contains("timestamp authority") == true, "\(answer)")
    }

    // MARK: - Level LT

    private func pdf(_ server: RunningServer, _ document: [UInt8] = PDFSamples.plain()) async throws -> [UInt8] {
        let answer = try await server.sign(document, profile: "trust-pdf", alias: "signer", client: "trust")
        return try Base64.decode(try #require(answer.text(of: "Base64Data"), "\(answer)"))
    }

    @Test(
        "a PDF of level LT is verified when no source answers any more, and one of level T is not",
        arguments: [TrustFixture.Signer.good, .listed, .fallback])
    func lasting(_ signer: TrustFixture.Signer) async throws {
        let trust = try await TrustFixture()
        var signed: [String: [UInt8]] = [:]
        for level in ["T", "LT"] {
            let server = try await server(trust, signer: signer, level: level)
            let once = try await pdf(server)
            signed[level] = once
            let answer = try await server.verify(once, client: "trust")
            #expect(answer.text(of: "ResultMinor")?.hasSuffix("OnAllDocuments") == true, "\(answer)")
            if level == "LT" {
                signed["LT twice"] = try await pdf(server, once)
                // Other formats have level T then.
                let xml = try await server.sign(
                    Array("<?xml version=\"1.0\"?><a/>".utf8), profile: "trust-xml", alias: "signer", client: "trust")
                let octets = try Base64.decode(try #require(xml.text(of: "Base64Data"), "\(xml)"))
                #expect(try await server.verify(octets, client: "trust").text(of: "ProvenTime") != nil)
            }
        }
        try trust.setDown(true)
        for (level, octets) in signed {
            // One that has not heard of any of it.
            let server = try await server(trust, signer: signer, revocation: "require")
            let answer = try await server.verify(octets, client: "trust")
            if level == "T" {
                #expect(answer.text(of: "ResultMajor")?.hasSuffix("InsufficientInformation") == true, "\(answer)")
            } else {
                #expect(answer.text(of: "ResultMinor")?.hasSuffix("OnAllDocuments") == true, "\(level): \(answer)")
                #expect(answer.text(of: "ProvenTime") != nil)
            }
            // What the store holds vouches for nothing but revocation.
            let stranger = try await RunningServer().verify(octets)
            #expect(stranger.text(of: "ResultMajor")?.hasSuffix("InsufficientInformation") == true, "\(stranger)")
        }
        // So thinks somebody else, too.
        for level in ["LT", "LT twice"] {
            let oracle = try await PDFOracle.of(try #require(signed[level]), anchor: trust.root, takesStore: true)
            #expect(oracle.isValid && oracle.signatures.count == (level == "LT" ? 1 : 2), "\(level): \(oracle)")
        }
        let oracle = try await PDFOracle.of(try #require(signed["T"]), anchor: trust.root, takesStore: true)
        #expect(!oracle.isValid, "\(oracle)")
        try await trust.stop()
    }

    @Test(
        "at level LT nothing is signed if a revocation status is unknown or revoked",
        arguments: [
            (TrustFixture.Signer.plain, "cannot be found out"), (.unreachable, "cannot be found out"),
            (.unknown, "does not know"), (.revoked, "was revoked"), (.expired, "expired"),
        ])
    func notLasting(_ signer: TrustFixture.Signer, _ words: String) async throws {
        let trust = try await TrustFixture.shared
        let server = try await server(trust, signer: signer, level: "LT")
        let answer = try await server.sign(PDFSamples.plain(), profile: "trust-pdf", alias: "signer", client: "trust")
        #expect(answer.text(of: "ResultMajor")?.hasSuffix("ResponderError") == true, "\(answer)")
        let message = answer.text(of: "ResultMessage")
        // An expired key signs nothing at all.
        let asked = signer == .expired ? "must not sign" : "level LT"
        #expect(message?.contains(asked) == true && message?.contains(words) == true, "\(message ?? "")")
        #expect(answer.text(of: "Base64Data") == nil)
    }

    @Test("at level LT nothing is signed with a timestamp that proves nothing")
    func strangeTimestamp() async throws {
        let trust = try await TrustFixture.shared
        func answer(_ level: String) async throws -> RunningServer.Answer {
            let server = try await server(trust, signer: .good, level: level, authority: .stranger)
            return try await server.sign(PDFSamples.plain(), profile: "trust-pdf", alias: "signer", client: "trust")
        }
        #expect(try await answer("T").text(of: "Base64Data") != nil, "whom it must convince is not known at level T")
        let refused = try await answer("LT")
        #expect(refused.text(of: "ResultMajor")?.hasSuffix("ResponderError") == true, "\(refused)")
        #expect(refused.text(of: "ResultMessage")?.contains("level LT") == true, "\(refused)")
        #expect(refused.text(of: "Base64Data") == nil)
    }
}
