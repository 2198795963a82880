import CMSSignatures
import Octets
import TestSupport
import Testing

@Suite("Revocation online (RFC 6960, RFC 5280)")
struct OnlineRevocationTests {
    private let content = OctetString("content")

    private func verification(
        _ signer: TrustFixture.Signer, _ fixture: TrustFixture, policy: TrustPolicy,
        timestamps: (any TimestampSource)? = nil
    ) throws -> CMSVerification {
        let signature = try CMSSigner(key: try fixture.signingKey(signer), isCAdES: true, timestamps: timestamps)
            .sign(detached: content, signingTime: TrustFixture.now)
        return try CMSVerifier(policy: policy, use: .mail).verify(signature, content: content, now: TrustFixture.now)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let signer: TrustFixture.Signer
        let verdict: TrustVerdict
        var cause: VerificationDetail.Cause?
        var testDescription: String { "\(signer)" }

        static let all = [
            Case(signer: .good, verdict: .trusted), Case(signer: .revoked, verdict: .notTrusted),
            Case(signer: .revokedTomorrow, verdict: .notTrusted), Case(signer: .unknown, verdict: .indeterminate),
            Case(signer: .unreachable, verdict: .indeterminate, cause: .responderUnavailable),
            Case(signer: .listed, verdict: .trusted), Case(signer: .listedRevoked, verdict: .notTrusted),
            Case(signer: .listUnreachable, verdict: .indeterminate, cause: .listUnavailable),
            Case(signer: .fallback, verdict: .trusted), Case(signer: .plain, verdict: .trusted),
        ]
    }

    @Test("decides by the statement of the responder or the list", arguments: Case.all)
    func cases(_ given: Case) async throws {
        let fixture = try await TrustFixture.shared
        let verification = try verification(given.signer, fixture, policy: try fixture.policy())
        #expect(verification.verdict == given.verdict, "\(verification.details)")
        #expect(verification.details.allSatisfy { $0.kind == .revocationStatus && $0.cause == given.cause })
        #expect(verification.details.count == (given.verdict == .trusted ? 0 : 1))
    }

    @Test("must be known for every certificate if the policy requires it")
    func required() async throws {
        let fixture = try await TrustFixture.shared
        let good = try verification(.good, fixture, policy: try fixture.policy(.require))
        #expect(good.verdict == .trusted, "\(good.details)")
        #expect(try verification(.plain, fixture, policy: try fixture.policy(.require)).verdict == .indeterminate)
        let none = try verification(.revoked, fixture, policy: try fixture.policy(.none))
        #expect(none.verdict == .trusted, "the policy does not ask")
    }

    @Test("asks once and remembers the answer; without a source it asks nobody")
    func cache() async throws {
        let fixture = try await TrustFixture()
        let cache = RevocationCache()
        let policy = try fixture.policy(cache: cache)
        for _ in 0..<3 {
            #expect(try verification(.good, fixture, policy: policy).verdict == .trusted)
            #expect(try verification(.listed, fixture, policy: policy).verdict == .trusted)
        }
        #expect(fixture.requests.sorted() == ["GET /crl/issuing.crl", "GET /crl/root.crl", "POST /ocsp"])
        #expect(cache.count == 3)
        try fixture.setDown(true)
        #expect(try verification(.good, fixture, policy: policy).verdict == .trusted)
        let down = try verification(.good, fixture, policy: try fixture.policy(cache: RevocationCache()))
        #expect(down.verdict == .indeterminate)
        let before = fixture.requests.count
        let failing = try fixture.policy(cache: cache)
        for _ in 0..<3 { #expect(try verification(.revoked, fixture, policy: failing).verdict == .indeterminate) }
        #expect(fixture.requests.count == before + 1, "a dead responder is asked once in a while")
        let silent = try verification(.good, fixture, policy: try fixture.policy(asks: false))
        #expect(silent.verdict == .indeterminate)
        #expect(silent.details.map(\.cause) == [.listUnavailable, .responderUnavailable])
        #expect(fixture.requests.count == before + 1)
    }

    /// A responder that refuses, as one does that knows nothing of an issuer.
    private struct Refusing: RevocationSource {
        func fetch(_ url: String) throws(CryptographyError) -> OctetString { try FixtureRevocation().fetch(url) }
        /// OCSPResponse with the status unauthorized (RFC 6960 §4.2.1).
        func post(_ request: OctetString, to url: String) -> OctetString {
            OctetString([0x30, 0x03, 0x0A, 0x01, 0x06])
        }
    }

    @Test("a responder's refusal concerns one certificate, and is reported")
    func refusal() async throws {
        let fixture = try await TrustFixture.shared
        let cache = RevocationCache()
        var policy = try fixture.policy(cache: cache)
        policy.revocationSource = Refusing()
        let refused = try verification(.good, fixture, policy: policy)
        #expect(refused.verdict == .indeterminate)
        #expect(refused.details.first?.cause == .responderUnavailable)
        #expect(refused.details.first?.message.contains("unauthorized") == true, "\(refused.details)")
        policy.revocationSource = FixtureRevocation()
        #expect(try verification(.revoked, fixture, policy: policy).verdict == .notTrusted)
    }

    @Test("a cache does not exceed its limit")
    func bounded() async throws {
        let fixture = try await TrustFixture.shared
        let cache = RevocationCache(maximumEntries: 2)
        let policy = try fixture.policy(cache: cache)
        for signer in [TrustFixture.Signer.good, .listed, .revoked] {
            _ = try verification(signer, fixture, policy: policy)
            #expect(cache.count <= 2)
        }
        let tiny = RevocationCache(maximumOctets: 10)
        _ = try verification(.good, fixture, policy: try fixture.policy(cache: tiny))
        #expect(tiny.count == 0)
    }

    @Test("is not asked for if the path leads to no anchor")
    func stranger() async throws {
        let fixture = try await TrustFixture()
        var policy = try fixture.policy()
        policy.anchors = [try Demonstration.shared.get().authority.certificate]
        let verification = try verification(.good, fixture, policy: policy)
        #expect(verification.verdict == .indeterminate)
        #expect(verification.details.allSatisfy { $0.kind == .issuerTrust })
        #expect(fixture.requests.isEmpty)
    }

    @Test("after a proven time does no harm; before it does")
    func proven() async throws {
        let fixture = try await TrustFixture.shared
        let authority = FixtureAuthority(address: fixture.address(.tsa))
        let later = try verification(.revokedTomorrow, fixture, policy: try fixture.policy(), timestamps: authority)
        #expect(later.verdict == .trusted, "\(later.details)")
        // The list that says so is of after the proven moment.
        var listing = try fixture.policy(asks: false)
        listing.revocationLists =
            try RevocationList.readAll(OctetString(try TestMaterial.octets(fixture.list)))
            + RevocationList.readAll(
                OctetString(try await fixture.rootList(revokingTimestamps: "400101000000Z", reason: "superseded")))
        let listed = try verification(.revokedTomorrow, fixture, policy: listing, timestamps: authority)
        #expect(listed.verdict == .trusted, "\(listed.details)")
        let unstamped = try verification(.revokedTomorrow, fixture, policy: listing)
        #expect(unstamped.verdict == .notTrusted)
        let listedBefore = try verification(.listedRevoked, fixture, policy: listing, timestamps: authority)
        #expect(listedBefore.verdict == .notTrusted)
        let before = try verification(.revoked, fixture, policy: try fixture.policy(), timestamps: authority)
        #expect(before.verdict == .notTrusted)
        let strange = FixtureAuthority(address: fixture.address(.stranger))
        let unproven = try verification(.revokedTomorrow, fixture, policy: try fixture.policy(), timestamps: strange)
        #expect(unproven.verdict == .notTrusted)
    }

    @Test("uses evidence that came with the signature or is configured, and returns the evidence used")
    func evidence() async throws {
        let fixture = try await TrustFixture()
        let online = try #require(try verification(.good, fixture, policy: try fixture.policy()).signers.first)
        #expect(online.evidence.responses.count == 1 && !online.evidence.lists.isEmpty)
        #expect(online.path.count == 3)
        let listed = try #require(try verification(.listed, fixture, policy: try fixture.policy()).signers.first)
        let lists = online.evidence.lists.map(\.der) + listed.evidence.lists.map(\.der)
        let kept = RevocationEvidence(
            listsInDER: lists, responsesInDER: online.evidence.responses.map(\.der) + [OctetString("no answer")])
        #expect(kept.responses.count == 1)
        try fixture.setDown(true)
        for signer in [TrustFixture.Signer.good, .listed] {
            let signature = try CMSSigner(key: try fixture.signingKey(signer))
                .sign(detached: content, signingTime: TrustFixture.now)
            let verifier = CMSVerifier(policy: try fixture.policy(.require, asks: false), use: .mail)
            let without = try verifier.verify(signature, content: content, now: TrustFixture.now)
            #expect(without.verdict == .indeterminate)
            let with = try verifier.verify(signature, content: content, revocation: kept, now: TrustFixture.now)
            #expect(with.verdict == .trusted, "\(with.details)")
            // Both are good for a week at most.
            let late = try verifier.verify(
                signature, content: content, revocation: kept, now: TrustFixture.now + 8 * TrustFixture.day)
            #expect(late.verdict == .indeterminate)
        }
    }

    @Test(
        "counts only from the issuer, or from a responder that it named and vouches for",
        arguments: TrustFixture.Responder.allCases)
    func responders(_ responder: TrustFixture.Responder) async throws {
        let fixture = try await TrustFixture.shared
        let signature = try CMSSigner(key: try fixture.signingKey(.good))
            .sign(detached: content, signingTime: TrustFixture.now)
        var policy = try fixture.policy(asks: false)
        policy.revocationLists = try RevocationList.readAll(
            OctetString(try await fixture.rootList(revokingTimestamps: "200101000000Z", reason: "superseded")))
        let response = try OCSPResponse(OctetString(try await fixture.response(about: .good, by: responder)))
        let verification = try CMSVerifier(policy: policy, use: .mail).verify(
            signature, content: content, revocation: RevocationEvidence(responses: [response]), now: TrustFixture.now)
        let counts = [TrustFixture.Responder.delegate, .issuer].contains(responder)
        #expect(verification.verdict == (counts ? .trusted : .indeterminate), "\(verification.details)")
    }

    @Test("evidence from the sender does not hide the responder's present statement")
    func replayed() async throws {
        let fixture = try await TrustFixture.shared
        let signature = try CMSSigner(key: try fixture.signingKey(.revoked))
            .sign(detached: content, signingTime: TrustFixture.now)
        // An answer of before the revocation, still in date.
        let old = try OCSPResponse(
            OctetString(try await fixture.response(about: .revoked, by: .delegate, from: "V\t400101000000Z\t\t")))
        let evidence = RevocationEvidence(responses: [old])
        let verifier = CMSVerifier(policy: try fixture.policy(), use: .mail)
        let verification = try verifier.verify(
            signature, content: content, revocation: evidence, now: TrustFixture.now)
        #expect(verification.verdict == .notTrusted)
        // Nobody can be asked, nothing else is known.
        var silent = try fixture.policy(asks: false)
        silent.revocationLists = try RevocationList.readAll(
            OctetString(try await fixture.rootList(revokingTimestamps: "200101000000Z", reason: "superseded")))
        let taken = try CMSVerifier(policy: silent, use: .mail)
            .verify(signature, content: content, revocation: evidence, now: TrustFixture.now)
        #expect(taken.verdict == .trusted, "\(taken.details)")
        silent.revocationLists += try RevocationList.readAll(OctetString(try TestMaterial.octets(fixture.list)))
        let listed = try CMSVerifier(policy: silent, use: .mail)
            .verify(signature, content: content, revocation: evidence, now: TrustFixture.now)
        #expect(listed.verdict == .notTrusted, "the list that is configured names it")
    }

    @Test("kept with a timestamped signature stays valid for it years later")
    func longTerm() async throws {
        let fixture = try await TrustFixture.shared
        let key = try fixture.signingKey(.expiring)
        let token = try FixtureAuthority(address: fixture.address(.tsa)).timestamp(of: content)
        let policy = try fixture.policy(.require, asks: false)
        let lists = try RevocationList.readAll(
            OctetString(try await fixture.rootList(revokingTimestamps: "400101000000Z", reason: "superseded")))
        var evidence = SignerEvidence(certificate: key.certificate)
        evidence.others = key.chain
        evidence.revocation = RevocationEvidence(
            lists: lists,
            responses: [try OCSPResponse(OctetString(try await fixture.response(about: .expiring, by: .delegate)))])
        let now = TrustFixture.now + 300 * TrustFixture.day
        let judge = SignerJudge(policy: policy, use: .document)
        for (existence, verdict) in [(TrustFixture.now, TrustVerdict.trusted), (nil, .notTrusted)] {
            // Without a later timestamp nothing of today proves in a year that the authority's certificate is valid.
            evidence.timestamps = [
                SignerEvidence.Stamped(token: token.octets, content: content, existence: existence)
            ]
            let result = try judge.judge(evidence, now: now)
            #expect(result.verdict == verdict, "\(result.details) \(result.timestamps.map(\.details))")
        }
        evidence.revocation.responses = []
        evidence.timestamps[0].existence = TrustFixture.now
        #expect(try judge.judge(evidence, now: now).verdict == .indeterminate)
        // Made after the certificate had expired, it would say nothing.
        evidence.revocation.responses = [
            try OCSPResponse(OctetString(try await fixture.response(about: .expired, by: .delegate)))
        ]
        evidence.certificate = try fixture.signingKey(.expired).certificate
        var old = policy
        old.revocation = .present
        #expect(try SignerJudge(policy: old, use: .document).judge(evidence, now: now).verdict == .notTrusted)
    }

    @Test("a damaged answer never makes an untrusted signature trusted")
    func damagedAnswers() async throws {
        let fixture = try await TrustFixture.shared
        let signature = try CMSSigner(key: try fixture.signingKey(.good))
            .sign(detached: content, signingTime: TrustFixture.now)
        let policy = try fixture.policy()
        let result = try #require(
            try CMSVerifier(policy: policy, use: .mail).verify(signature, content: content, now: TrustFixture.now)
                .signers.first)
        let sound = try #require(result.evidence.responses.first).der.array
        var silent = policy
        silent.revocationSource = nil
        let revoked = try CMSSigner(key: try fixture.signingKey(.revoked))
            .sign(detached: content, signingTime: TrustFixture.now)
        var generator = SeededNumbers(seed: 0x0C5B)
        var accepted = 0
        for _ in 0..<400 {
            var octets = sound
            octets[Int.random(in: octets.indices, using: &generator)] ^= UInt8.random(in: 1...255, using: &generator)
            var evidence = result.evidence
            evidence.responses = RevocationEvidence(listsInDER: [], responsesInDER: [OctetString(octets)]).responses
            let verifier = CMSVerifier(policy: silent, use: .mail)
            let damaged = try verifier.verify(
                signature, content: content, revocation: evidence, now: TrustFixture.now)
            if damaged.verdict == .trusted { accepted += 1 }
            let other = try verifier.verify(revoked, content: content, revocation: evidence, now: TrustFixture.now)
            #expect(other.verdict != .trusted, "an answer about another certificate")
        }
        // A change outside what the responder signed, such as in the certificates beside, may leave it sound.
        #expect(accepted < 40)
    }
}
