import CMSSignatures
import Foundation
import Octets
import TestSupport
import Testing

@Suite("Signatures by Ed25519 and Ed448 in CMS (RFC 8419)")
struct EdwardsTests {
    private let content = OctetString("Content-Type: text/plain\r\n\r\nHello Bob\r\n")

    /// A self-signed key of the kind that `openssl genpkey` calls `algorithm`.
    private func key(_ algorithm: String, _ options: [String] = []) async throws -> SigningKey {
        let scratch = try ScratchDirectory()
        func openssl(_ arguments: [String]) async throws {
            let run = try await RunningProgram.run("/usr/bin/openssl", arguments, asRoot: true)
            try #require(run.status == 0, "\(run)")
        }
        let (file, certificate) = (scratch.file("key"), scratch.file("certificate"))
        try await openssl(["genpkey", "-algorithm", algorithm, "-out", file] + options)
        try await openssl(
            ["req", "-x509", "-key", file, "-days", "30", "-subj", "/CN=Edda", "-out", certificate]
                + ["-addext", "subjectAltName=email:edda@example.test"])
        try await openssl(
            ["pkcs12", "-export", "-inkey", file, "-in", certificate, "-passout", "pass:secret"]
                + ["-out", scratch.file("p12")])
        return try PKCS12.load(OctetString(try TestMaterial.octets(scratch.file("p12"))), password: "secret")
    }

    private func verdict(
        _ signature: OctetString, _ key: SigningKey, _ content: OctetString, at time: Int
    ) throws -> TrustVerdict {
        try CMSVerifier(policy: TrustPolicy(anchors: [key.certificate]), use: .document)
            .verify(signature, content: content, now: time).verdict
    }

    @Test(
        "are made and verified; a change of the content is detected", arguments: ["ED25519", "ED448"], [false, true])
    func roundTrip(_ algorithm: String, _ isCAdES: Bool) async throws {
        let key = try await key(algorithm)
        let now = Int(Date().timeIntervalSince1970)
        #expect(key.obstacle == nil)
        let signature = try CMSSigner(key: key, isCAdES: isCAdES).sign(detached: content, signingTime: now)
        #expect(try verdict(signature, key, content, at: now) == .trusted)
        #expect(try CMSInspection.check(signature, content: content) == .intact)
        let changed = OctetString(content.text.replacing("Bob", with: "Rob"))
        #expect(try verdict(signature, key, changed, at: now) == .notTrusted)
        let signer = try #require(try CMSInspection.facts(of: signature).signers.first)
        #expect(signer.digestAlgorithm == (algorithm == "ED25519" ? "sha-512" : "shake256"))
        #expect(signer.signingTime == now && signer.addresses == ["edda@example.test"])
        let enclosing = try CMSSigner(key: key).sign(enclosing: content, signingTime: now).collected()
        #expect(try CMSInspection.check(enclosing, content: nil) == .intact)
    }

    @Test("with an octet changed in the signer's part are never trusted")
    func flipped() async throws {
        let key = try await key("ED25519")
        let now = Int(Date().timeIntervalSince1970)
        let signature = try CMSSigner(key: key).sign(detached: content, signingTime: now).array
        // Attributes and signature value stand at the end.
        for place in stride(from: signature.count - 160, to: signature.count, by: 3) {
            var flipped = signature
            flipped[place] ^= 0x10
            let octets = OctetString(flipped)
            do throws(CryptographyError) {
                let result = try CMSVerifier(policy: TrustPolicy(anchors: [key.certificate]), use: .document)
                    .verify(octets, content: content, now: now)
                #expect(result.verdict != .trusted, "octet \(place) of \(signature.count)")
            } catch { continue }
        }
    }

    @Test("a key that may only sign by RSA-PSS says so before it is asked")
    func obstacle() async throws {
        let key = try await key("RSA-PSS", ["-pkeyopt", "rsa_keygen_bits:2048"])
        #expect(key.obstacle?.contains("RSA-PSS") == true)
        let error = #expect(throws: CryptographyError.self) {
            try CMSSigner(key: key).sign(detached: content, signingTime: nil)
        }
        #expect(error?.kind == .unsupported)
    }
}

@Suite("Data in a CMS beside its content")
struct BesideContentTests {
    private let demonstration: Demonstration
    private let content = OctetString("Hello")

    init() throws { demonstration = try Demonstration.shared.get() }

    private func signed(at time: Int = Demonstration.now) throws -> OctetString {
        try CMSSigner(key: demonstration.alice).sign(detached: content, signingTime: time)
    }

    private func verify(_ signature: OctetString) throws -> CMSVerification {
        try CMSVerifier(policy: demonstration.policy, use: .mail)
            .verify(signature, content: content, now: Demonstration.now)
    }

    @Test("octets behind the SignedData do not belong to it, unless they are padding")
    func trailing() throws {
        let signature = try signed()
        for padding in ["", "\0\0\0\0", "\r\n", " \n"] {
            let padded = OctetString(signature.array + Array(padding.utf8))
            #expect(try verify(padded).verdict == .trusted)
            #expect(try CMSInspection.check(padded, content: content) == .intact)
        }
        for following in [signature.array, Array("x".utf8), [0, 0, 1]] {
            let followed = OctetString(signature.array + following)
            #expect(try verify(followed).verdict == .notTrusted)
            guard case .broken = try CMSInspection.check(followed, content: content) else {
                Issue.record("\(following.count) octets behind it were taken")
                continue
            }
        }
    }

    @Test("a signing time in the future is indeterminate; an hour ahead counts as a wrong clock")
    func future() throws {
        #expect(try verify(try signed(at: Demonstration.now + 3_600)).verdict == .trusted)
        #expect(try verify(try signed(at: Demonstration.now + 86_400)).verdict == .indeterminate)
    }

    @Test("without certificates it is checked with known ones, and reports that it has none")
    func known() throws {
        let signature = try signed()
        let without = try Self.withoutCertificates(signature)
        #expect(try CMSInspection.facts(of: without).signers.map(\.hasCertificate) == [false])
        guard case .unknown = try CMSInspection.check(without, content: content) else {
            Issue.record("a signature without its certificate was judged")
            return
        }
        let known = [demonstration.alice.certificate]
        #expect(try CMSInspection.facts(of: without, knowing: known).signers.map(\.hasCertificate) == [true])
        #expect(try CMSInspection.check(without, content: content, knowing: known) == .intact)
        #expect(try verify(without).verdict == .indeterminate)
        var policy = demonstration.policy
        policy.intermediates = known
        let judged = try CMSVerifier(policy: policy, use: .mail)
            .verify(without, content: content, now: Demonstration.now)
        #expect(judged.verdict == .trusted && judged.signers.map(\.isCertificateEnclosed) == [false])
    }

    /// The same SignedData with the certificates field taken out, all lengths written anew.
    private static func withoutCertificates(_ signature: OctetString) throws -> OctetString {
        var octets = signature.array
        func element(_ start: Int) -> (content: Int, end: Int) {
            let first = Int(octets[start + 1])
            guard first >= 0x80 else { return (start + 2, start + 2 + first) }
            let size = first & 0x7F
            let length = octets[(start + 2)..<(start + 2 + size)].reduce(0) { $0 << 8 | Int($1) }
            return (start + 2 + size, start + 2 + size + length)
        }
        func wrapped(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
            let length = content.count
            guard length >= 128 else { return [tag, UInt8(length)] + content }
            return [tag, 0x82, UInt8(length >> 8), UInt8(length & 0xFF)] + content
        }
        let info = element(0)
        let type = element(info.content)
        let explicit = element(type.end)
        let data = element(explicit.content)
        var parts: [UInt8] = []
        var place = data.content
        while place < data.end {
            let part = element(place)
            if octets[place] != 0xA0 { parts += octets[place..<part.end] }
            place = part.end
        }
        let identifier = Array(octets[info.content..<type.end])
        octets = wrapped(0x30, identifier + wrapped(0xA0, wrapped(0x30, parts)))
        return OctetString(octets)
    }
}
