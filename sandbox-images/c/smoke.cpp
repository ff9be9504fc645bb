// The c image: the standard library of C++, as of 2020.
#include <algorithm>
#include <format>
#include <iostream>
#include <ranges>
#include <string>
#include <vector>

int main() {
    std::vector<std::string> words{"ok", "smoke"};
    std::ranges::reverse(words);
    std::cout << std::format("{} {}\n", words.front(), words.back());
}
