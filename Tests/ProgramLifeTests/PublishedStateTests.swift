import Foundation

import Testing

@testable import ProgramLife
@testable import Spool

@Suite("Published states")
struct PublishedStateTests {
    struct Own: Codable, Equatable, Sendable {
        let places: [String]
    }

    static func json(_ state: PublishedState<Own>) throws -> [UInt8] { Array(try JSONEncoder().encode(state)) }

    @Test("the fields of every program and those of its own are one JSON object")
    func object() throws {
        let state = PublishedState(
            started: 5, reasons: ["full"], lastError: nil, watches: true, own: Own(places: ["a"]))
        let octets = try Self.json(state)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(octets)) as? [String: Any])
        #expect(Set(object.keys) == ["v", "started", "reasons", "watches", "places"])
        #expect(try JSONDecoder().decode(PublishedState<Own>.self, from: Data(octets)) == state)
    }

    @Test("a state of the program that is not understood is a reason; one of another program is not")
    func notUnderstood() throws {
        let good = PublishedState(started: 5, reasons: [], lastError: nil, watches: true, own: Own(places: []))
        let states = PublishedStates<Own>(
            [
                ProcessState(program: "ses", pid: 1, json: try Self.json(good), age: 1),
                ProcessState(program: "ses", pid: 2, json: Array("{}".utf8), age: 1),
                ProcessState(program: "ses-relay", pid: 3, json: Array("{}".utf8), age: 1),
            ], of: .ses)
        #expect(states.known.map(\.process.pid) == [1])
        #expect(states.reasons.count == 1 && states.reasons[0].contains("ses 2"))
    }
}
