import CivilTime
import Foundation
import Testing

@Suite("Dates of the calendar")
struct CivilDateTests {
    @Test(
        "have a day number that counts from the first of January 1970",
        arguments: [
            (1970, 1, 1, 0), (1969, 12, 31, -1), (2000, 2, 29, 11_016), (2000, 3, 1, 11_017), (1900, 3, 1, -25_508),
            (1, 1, 1, -719_162), (0, 3, 1, -719_468), (9999, 12, 31, 2_932_896),
        ])
    func known(_ year: Int, _ month: Int, _ day: Int, _ number: Int) throws {
        let date = try #require(CivilDate(year: year, month: month, day: day))
        #expect(date.dayNumber == number)
        #expect(CivilDate(dayNumber: number) == date)
    }

    @Test("follow one another without a gap over four hundred years")
    func gapless() throws {
        var before = CivilDate(dayNumber: -1)
        for number in 0..<146_097 {
            let date = CivilDate(dayNumber: number)
            let isNext =
                date.day == before.day + 1 && date.month == before.month && date.year == before.year
                || date.day == 1 && date.month == before.month + 1 && date.year == before.year
                || date.day == 1 && date.month == 1 && before.month == 12 && date.year == before.year + 1
            try #require(isNext && date.dayNumber == number, "\(number)")
            before = date
        }
    }

    @Test(
        "that do not exist are refused",
        arguments: [(2023, 2, 29), (1900, 2, 29), (2024, 13, 1), (2024, 0, 1), (2024, 4, 31)])
    func impossible(_ year: Int, _ month: Int, _ day: Int) {
        #expect(CivilDate(year: year, month: month, day: day) == nil)
    }

    @Test("a day that its month does not have counts on into the next")
    func overflow() {
        #expect(
            CivilDate.dayNumber(year: 2023, month: 2, day: 31) == CivilDate.dayNumber(year: 2023, month: 3, day: 3))
    }
}
