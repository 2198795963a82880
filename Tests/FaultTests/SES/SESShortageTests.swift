import Foundation
import Glibc
import TestSupport
import Testing

extension FaultBench {
    /// Libraries below `ses` want descriptors too, and do not tell why they failed.
    @Suite("ses when libraries get no descriptor and no memory")
    struct SESShortages {
        private static let numbers = [EMFILE, ENFILE, ENOMEM]

        @Test("no socket to the signing server can be made: the mail waits and no attempt is counted")
        func sockets() async throws {
            await FaultPoints.run(
                "ses, no sockets", Self.numbers.map { LastingPoint(call: "socket", path: "", number: $0) }, normally: 1
            ) {
                try await Self.faults($0, try await SESUnderFault(), MailSamples.plain(id: "one"))
            }
        }

        @Test("a character set cannot be loaded: the mail waits, and is not taken for one without it")
        func conversions() async throws {
            let points = Self.numbers.map { LastingPoint(call: "iconv", path: "KOI8-R", number: $0) }
            await FaultPoints.run("ses, no conversions", points, normally: 1) { point in
                var configuration = try await SESUnderFault.configuration()
                configuration.outgoing = SESXML.sign(
                    alias: MailSamples.alice, filter: "<Filter><AND><Subject contains=\"привет\"/></AND></Filter>")
                let mail = MailSamples.plain(subject: "=?koi8-r?B?0NLJ18XU?=", id: "one")
                return try await Self.faults(point, try await SESUnderFault(configuration), mail)
            }
        }

        /// Returns the deviations from the expected outcome.
        private static func faults(_ point: LastingPoint, _ ses: SESUnderFault, _ mail: [UInt8]) async throws
            -> [String]
        {
            let fault = try LastingFault(point.call, on: point.path, point.number)
            try fault.begin()
            let daemon = try await ses.fixture.watch(environment: try await fault.environment(program: "ses"))
            try ses.put("one", mail)
            var found: [String] = []
            let reason = try await eventually("the fault is met: \(daemon.text(.error)), \(try ses.counts())") {
                let status = try await ses.status()
                return status.isHealthy ? nil : status.reasons.joined(separator: "; ")
            }
            if !reason.contains(String(cString: strerror(point.number))) { found.append("the reason is \(reason)") }
            if try !ses.counts().keys.allSatisfy({ $0.hasPrefix("work") || $0.hasPrefix("outgoing") }) {
                found.append("meanwhile: \(try ses.counts())")
            }
            try fault.lift()
            // A counted attempt would be followed by a minute at least.
            if let took = try await ses.recovers(within: .seconds(40)) {
                if took > .seconds(15) { found.append("healthy only after \(took)") }
            } else {
                found.append("never healthy again: \(try await ses.status().reasons), \(try ses.counts())")
            }
            let outcomes = try ses.fixture.files(in: "delivered").map { $0.envelopeField("X-SES-Outcome") ?? "" }
            if outcomes != ["signed"] { found.append("delivered: \(outcomes)") }
            let ended = try await daemon.terminate(within: .seconds(20))
            if ended.status != 0 { found.append("the end: \(ended)") }
            return found + (try ses.faults())
        }
    }
}
